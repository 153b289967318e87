import { expect, test } from '@jest/globals';
import { findCondition } from '../../../../lib/api/conditions.ts';
import type { SkillPack } from '../../../../lib/api/v1alpha1/skill-pack.ts';
import type { KubeObject } from '../../../../operator/kube/port.ts';
import { EVENTS, SKILL_PACKS } from '../../../../operator/kube/resources.ts';
import { settle } from '../../../support/fake-clock.ts';
import { skillPack } from '../../../support/objects.ts';
import { Bench } from '../agent-run/bench.ts';

const bench = Bench.make();
const SYSTEM = 'sympozium-system';

async function ready(pack: SkillPack) {
  bench.kube.put(pack);
  await settle();
  return now();
}
async function now() {
  const found = await bench.kube.get(SKILL_PACKS, { namespace: 'team', name: 'mine' });
  const { status, reason, message } = findCondition(found?.status?.conditions, 'Ready') ?? {};
  return { status, reason, message };
}
const grants = (verbs: readonly string[]): KubeObject =>
  ({ apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata: { name: 'sympozium-skill-grants' }, rules: [{ apiGroups: [''], resources: ['pods'], verbs }] }) as KubeObject; // prettier-ignore

test('A pack that agents can have says so', async () => {
  await bench.start();
  expect(await ready(skillPack('mine', { instructions: 'Look.' }))).toMatchObject({
    status: 'True',
    reason: 'Accepted',
  });
});

test('A pack that admission did not see says what is wrong with it', async () => {
  await bench.start();
  const tools = [{ name: 'read_file', description: 'Reads.', exec: ['cat'] }];
  expect(await ready(skillPack('mine', { tools }))).toMatchObject({ status: 'False', reason: 'Invalid' });
  const { items } = await bench.kube.list(EVENTS, { fields: 'involvedObject.kind=SkillPack' });
  expect(items.filter(({ involvedObject }) => involvedObject.name === 'mine').map(({ reason }) => reason)).toEqual(['Invalid']); // prettier-ignore
});

test('A pack that asks for too much becomes ready when the administrator grants it', async () => {
  bench.kube.put(grants(['get']));
  await bench.start();
  const rbac = [{ apiGroups: [''], resources: ['pods'], verbs: ['get', 'delete'] }];
  expect(await ready(skillPack('mine', { rbac }))).toEqual({
    status: 'False',
    reason: 'RightsNotGranted',
    message:
      "ClusterRole 'sympozium-skill-grants' does not let skills delete pods: take it out of the pack, or have the administrator add it there",
  });
  bench.kube.put(grants(['get', 'delete']));
  await settle();
  expect(await now()).toMatchObject({ status: 'True' });
});

test('A pack that the administrator has one of the same name of is nobody’s, until that is gone', async () => {
  await bench.start();
  const system = bench.kube.put(skillPack('mine', {}, SYSTEM));
  expect(await ready(skillPack('mine'))).toMatchObject({ status: 'False', reason: 'Shadowed' });
  bench.kube.remove(system);
  await settle();
  expect(await now()).toMatchObject({ status: 'True' });
});
