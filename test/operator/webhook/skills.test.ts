import { describe, expect, test } from '@jest/globals';
import type { SympoziumInstance } from '../../../lib/api/v1alpha1/instance.ts';
import type { SkillPack } from '../../../lib/api/v1alpha1/skill-pack.ts';
import { SkillLookup } from '../../../operator/kube/skill-lookup.ts';
import type { Verdict } from '../../../operator/webhook/review.ts';
import { admitSkillPack } from '../../../operator/webhook/rules/skill-pack.ts';
import { admitSkills, skillFacts } from '../../../operator/webhook/rules/skills.ts';
import { FakeKube } from '../../support/fake-kube.ts';
import { instance, skillPack } from '../../support/objects.ts';

const SYSTEM = 'sympozium-system';
const sentence = (verdict: Verdict): string | undefined => ('refused' in verdict ? verdict.refused : undefined);
const admit = (pack: SkillPack) => sentence(admitSkillPack(pack, { systemNamespace: SYSTEM, shadowed: false }));

type Tool = NonNullable<SkillPack['spec']['tools']>[number];
const withTool = (tool: Partial<Tool>) =>
  skillPack('mine', { tools: [{ name: 'look', description: 'Looks.', exec: ['look'], ...tool }] });
const parameters = (properties: object) => ({ type: 'object', properties });

describe('A SkillPack', () => {
  test('that is in order is admitted', () => {
    const tool = { parameters: parameters({ name: { type: 'string' } }), exec: ['look', '--name={name}'] };
    expect(admit(withTool(tool))).toBeUndefined();
  });

  test('R3 gets rights in the whole cluster only from the administrator', () => {
    const clusterRBAC = [{ apiGroups: [''], resources: ['nodes'], verbs: ['get'] }];
    expect(admit(skillPack('mine', { clusterRBAC }, 'team'))).toBe(
      "spec.clusterRBAC is only for packs in namespace 'sympozium-system': use rbac, or have the administrator put the pack there",
    );
    expect(admit(skillPack('mine', { clusterRBAC }, SYSTEM))).toBeUndefined();
  });

  test.each<[Partial<Tool>, string]>([
    [{ name: 'execute_command' }, "spec.tools 'execute_command': the platform has a tool of this name"],
    [{ name: 'memory_search' }, "spec.tools 'memory_search': the platform has a tool of this name"],
    [{ exec: ['look', '{name}'] }, 'exec uses {name}, which parameters.properties does not have'],
    [{ parameters: parameters({ name: { type: 'string' } }) }, "exec does not use the argument 'name'"],
    [
      { exec: ['{name}'], parameters: parameters({ name: { type: 'string' } }) },
      'exec names the program by an argument',
    ],
    [{ exec: ['look', '{names}'], parameters: parameters({ names: { type: 'array' } }) }, 'which is no single word'],
    [{ parameters: { type: 'object', oneOf: [] } }, "parameters uses 'oneOf', which is not checked"],
    [{ parameters: { type: 'object', patternProperties: {} } }, "parameters uses 'patternProperties'"],
    [{ parameters: {} }, 'parameters.type must be object, got null'],
    [
      { parameters: parameters({ name: { type: ['string', 'null'] } }) },
      'parameters.properties.name.type must be one of',
    ],
    [{ parameters: parameters({ name: { type: 'string', pattern: '(' } }) }, 'pattern must be a regular expression'],
    [{ parameters: parameters({ name: { type: 'array', items: { $ref: '#' } } }) }, "parameters.properties.name.items uses '$ref'"], // prettier-ignore
    [{ parameters: { type: 'object', properties: { x: 7 } } }, 'parameters.properties.x must be a schema, got 7'],
  ])('with the tool %j is refused: %s', (tool, because) => {
    expect(admit(withTool(tool))).toContain(because);
  });

  test('with a program of its own may leave arguments to that', () => {
    const sidecar = { image: 'acme/skill:1', command: ['/skill'] };
    const tools = [{ name: 'look', description: 'Looks.', exec: ['look'], parameters: parameters({ name: {} }) }];
    expect(admit(skillPack('mine', { sidecar, tools }))).toBeUndefined();
  });

  test.each([
    ['api.github.com:443', true],
    ['prometheus.monitoring.svc:9090', true],
    ['prometheus:9090', true],
    ['10.0.0.0/8:443', true],
    ['10.1.2.3:443', true],
    ['[fd00::/8]:443', true],
    ['api.github.com', false],
    ['*.github.com:443', false],
    ['https://api.github.com:443', false],
    ['10.0.0.0/33:443', false],
    ['10.0.0.256:443', false],
    ['api.github.com:0', false],
    ['api.github.com:70000', false],
  ])('may name the host %s: %s', (host, allowed) => {
    expect(admit(skillPack('mine', { egress: { hosts: [host] } })) === undefined).toBe(allowed);
  });

  test('that nobody will get because of another of its name is admitted with a warning', () => {
    expect(admitSkillPack(skillPack('mine'), { systemNamespace: SYSTEM, shadowed: true })).toEqual({
      warnings: ["namespace 'sympozium-system' has a SkillPack of this name, which instances get instead of this one"],
    });
  });
});

describe('The skills of an instance', () => {
  const EMPTY = { get: () => undefined, list: () => [], synced: true };
  const namespace = (name: string, from?: string) => ({
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name, ...(from === undefined ? {} : { annotations: { 'sympozium.ai/skills-from': from } }) },
  });
  const tools = [{ name: 'look', description: 'Looks.', exec: ['look'] }];
  const kube = new FakeKube(
    skillPack('mine', { tools }),
    skillPack('twin', { tools }),
    namespace('open', 'other, team'),
    namespace('wide', '*'),
    namespace('shut', 'teams'),
    namespace('plain'),
  );
  const lookup = new SkillLookup(kube, { skillPacks: EMPTY, namespaces: EMPTY }, SYSTEM);
  const verdict = async (spec: Partial<SympoziumInstance['spec']>) => {
    const object = instance(spec);
    return admitSkills(object, await skillFacts(lookup, object));
  };
  const refusal = async (spec: Partial<SympoziumInstance['spec']>) => sentence(await verdict(spec));

  test('must be there, but for the built-in ones, which come by themselves', async () => {
    expect(await refusal({ skills: ['mine'] })).toBeUndefined();
    expect(await refusal({ skills: ['nothing'] })).toMatch(
      /^spec\.skills: SkillPack 'nothing' is neither in namespace 'sympozium-system' nor in 'team': create it/,
    );
    expect(await verdict({ skills: ['k8s-ops'] })).toEqual({
      warnings: [expect.stringContaining("SkillPack 'k8s-ops'")],
    });
  });

  test('must not offer the same tool', async () => {
    expect(await refusal({ skills: ['mine', 'twin'] })).toBe(
      "spec.skills: tool 'look' is offered by skill 'twin' and by skill 'mine': rename it, or leave out one of the skills",
    );
  });

  test('must have what is configured', async () => {
    expect(await refusal({ skills: ['mine'], skillConfig: { other: {} } })).toBe(
      "spec.skillConfig configures 'other', which is not in spec.skills: add it there, or remove its settings",
    );
  });

  test.each([
    ['team', true],
    ['open', true],
    ['wide', true],
    ['shut', false],
    ['plain', false],
    ['missing', false],
  ])('R3 may work in namespace %s: %s, else its author is warned', async (target, allowed) => {
    expect(await verdict({ skills: ['mine'], skillConfig: { mine: { namespaces: [target] } } })).toEqual({
      warnings: allowed ? [] : [expect.stringContaining(`namespace '${target}'`)],
    });
  });
});
