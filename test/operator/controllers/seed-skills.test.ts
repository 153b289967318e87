import { expect, test } from '@jest/globals';
import { builtinSkillPacks } from '../../../lib/skills/index.ts';
import { packProblems } from '../../../lib/policy/skill-pack.ts';
import { seedSkills } from '../../../operator/controllers/seed-skills.ts';
import { SKILL_PACKS } from '../../../operator/kube/resources.ts';
import { SILENT } from '../../../operator/log.ts';
import { FakeClock, settle } from '../../support/fake-clock.ts';
import { FakeKube } from '../../support/fake-kube.ts';
import { must } from '../../support/must.ts';
import { skillPack } from '../../support/objects.ts';

const namespace = 'sympozium-system';
const clock = new FakeClock();
const pack = (description: string) => {
  const { metadata, ...rest } = skillPack('ops', { description });
  return { ...rest, metadata: { name: metadata.name } };
};
const seed = (kube: FakeKube, description: string) =>
  seedSkills({ kube, packs: [pack(description)], namespace, clock, log: SILENT }, new AbortController().signal);
const there = async (kube: FakeKube) => must(await kube.get(SKILL_PACKS, { namespace, name: 'ops' }));

test('A built-in skill is created, and marked as such', async () => {
  const kube = new FakeKube();
  await seed(kube, 'first');
  const { metadata, spec } = await there(kube);
  expect(spec.description).toBe('first');
  expect(metadata.labels).toEqual({ 'sympozium.ai/builtin': 'true' });
});

test('An administrator’s change stays, until there is another version', async () => {
  const kube = new FakeKube();
  await seed(kube, 'first');
  kube.put({ ...(await there(kube)), spec: { instructions: 'Ours.' } });
  await seed(kube, 'first');
  expect((await there(kube)).spec).toEqual({ instructions: 'Ours.' });
  await seed(kube, 'second');
  expect((await there(kube)).spec.description).toBe('second');
});

test('A pack of the same name that an administrator made is left alone', async () => {
  const kube = new FakeKube(skillPack('ops', { instructions: 'Ours.' }, namespace));
  await seed(kube, 'first');
  expect((await there(kube)).spec.instructions).toBe('Ours.');
});

test('Seeding is tried again while the webhook does not answer', async () => {
  const kube = new FakeKube();
  let refusals = 2;
  kube.before = () => {
    if ((refusals -= 1) >= 0) throw new Error('connection refused');
  };
  const seeding = seed(kube, 'first');
  await settle();
  await clock.advance(5_000);
  await seeding;
  expect((await there(kube)).spec.description).toBe('first');
});

test.each(
  builtinSkillPacks({ runtime: 'r:1', kubectl: 'k:1', git: 'g:1' }).map((each) => [each.metadata.name, each] as const),
)('The built-in skill %s is one that admission lets in', (_, each) => {
  expect(packProblems({ ...each, metadata: { ...each.metadata, namespace } }, namespace)).toEqual([]);
});
