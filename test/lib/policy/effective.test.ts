import { describe, expect, test } from '@jest/globals';
import { API_VERSION } from '../../../lib/api/group.ts';
import {
  TEMPLATES,
  type AgentRun,
  type SympoziumInstance,
  type SympoziumPolicy,
} from '../../../lib/api/v1alpha1/index.ts';
import { BUILTIN_POLICIES } from '../../../lib/policy/builtin.ts';
import { decideTool, sandboxOf, type ToolDecision } from '../../../lib/policy/decide.ts';
import { effectivePolicy, type ToolLayer } from '../../../lib/policy/effective.ts';
import { Random } from '../support/random.ts';

type ToolPolicy = SympoziumInstance['spec']['toolPolicy'];

const policy = (spec: SympoziumPolicy['spec']): SympoziumPolicy => ({
  apiVersion: API_VERSION,
  kind: 'SympoziumPolicy',
  metadata: { name: 'p' },
  spec,
});
const instance = (toolPolicy?: ToolPolicy): SympoziumInstance => ({
  apiVersion: API_VERSION,
  kind: 'SympoziumInstance',
  metadata: { name: 'i' },
  spec: { provider: { name: 'openai', model: 'm', apiKeySecret: 's' }, ...(toolPolicy && { toolPolicy }) },
});
const run = (toolPolicy?: ToolPolicy): AgentRun => ({
  apiVersion: API_VERSION,
  kind: 'AgentRun',
  metadata: { name: 'r' },
  spec: { instanceRef: 'i', input: 'x', ...(toolPolicy && { toolPolicy }) },
});
const builtin = (name: string): SympoziumPolicy => {
  const found = BUILTIN_POLICIES.find(({ metadata }) => metadata.name === name);
  if (found === undefined) throw new Error(`no built-in policy '${name}'`);
  return found;
};
const decide = (of: SympoziumPolicy, tool: string, own?: ToolPolicy, runs?: ToolPolicy): ToolDecision =>
  decideTool(effectivePolicy({ own: of, floors: [] }, instance(own), run(runs)), tool);

describe('the built-in policies', () => {
  test('permissive allows every tool', () => {
    expect(decide(builtin('permissive'), 'execute_command')).toEqual({ effect: 'allow' });
  });

  test('default asks before commands are executed, and allows the rest', () => {
    expect(decide(builtin('default'), 'execute_command')).toEqual({
      effect: 'approve',
      because: "policy 'default' asks for a person's approval",
    });
    expect(decide(builtin('default'), 'read_file')).toEqual({ effect: 'allow' });
  });

  test('restrictive denies what it does not list, and asks for a sandbox', () => {
    expect(decide(builtin('restrictive'), 'read_file')).toEqual({
      effect: 'deny',
      because: "policy 'restrictive' does not list it as allowed",
    });
    expect(decide(builtin('restrictive'), 'memory_search')).toEqual({ effect: 'allow' });
    expect(sandboxOf(effectivePolicy({ own: builtin('restrictive'), floors: [] }, instance()))).toEqual({
      runtimeClass: 'gvisor',
    });
  });
});

describe('what decides', () => {
  test('a denial wins over an approval and over being listed', () => {
    const strict = policy({ template: 'Permissive', allowedTools: ['t'], requireApproval: ['t'], deniedTools: ['t'] });
    expect(decide(strict, 't')).toEqual({ effect: 'deny', because: "policy 'p' denies it" });
  });

  test('Default cannot be talked out of approval by a shorter list', () => {
    expect(decide(policy({ template: 'Default', requireApproval: ['write_file'] }), 'execute_command').effect).toBe(
      'approve',
    );
  });

  test('Restrictive without a list allows nothing', () => {
    expect(decide(policy({ template: 'Restrictive' }), 't').effect).toBe('deny');
  });

  test('the message names whose rule it was', () => {
    const open = policy({ template: 'Permissive' });
    expect(decide(open, 't', { deny: ['t'] })).toMatchObject({
      because: "toolPolicy of SympoziumInstance 'i' denies it",
    });
    expect(decide(open, 't', undefined, { allow: [] })).toMatchObject({
      because: "toolPolicy of AgentRun 'r' does not list it as allowed",
    });
  });

  test('a sandbox that is switched off is none', () => {
    const off = policy({ template: 'Permissive', sandbox: { enabled: false, runtimeClass: 'gvisor' } });
    expect(sandboxOf(effectivePolicy({ own: off, floors: [] }, instance()))).toEqual({});
  });
});

describe('adding a layer never widens', () => {
  const TOOLS = ['execute_command', 'read_file', 'write_file', 'list_directory', 'other'];
  const strictness = { allow: 0, approve: 1, deny: 2 };
  const random = new Random(20_260_331);
  const maybe = <T>(value: () => T): T | undefined => (random.below(3) === 0 ? undefined : value());
  const layer = (source: string): ToolLayer => {
    const allow = maybe(() => random.someOf(TOOLS));
    return { source, ...(allow && { allow }), deny: random.someOf(TOOLS), approve: random.someOf(TOOLS) };
  };

  test('whatever the layers are, and wherever the new one goes', () => {
    for (let round = 0; round < 2000; round++) {
      const layers = Array.from({ length: random.below(4) }, (_, index) => layer(`layer ${index}`));
      const more = layers.toSpliced(random.below(layers.length + 1), 0, layer('new'));
      for (const tool of TOOLS) {
        const before = decideTool({ layers }, tool);
        const after = decideTool({ layers: more }, tool);
        if (strictness[after.effect] < strictness[before.effect]) {
          throw new Error(
            `round ${round}: '${tool}' went from ${before.effect} to ${after.effect}: ${JSON.stringify(more)}`,
          );
        }
      }
    }
  });

  test('an instance and a run narrow their policy and nothing else', () => {
    const own = (): ToolPolicy =>
      maybe(() => ({ allow: maybe(() => random.someOf(TOOLS)), deny: random.someOf(TOOLS) }));
    for (let round = 0; round < 2000; round++) {
      const base = policy({
        template: random.oneOf(TEMPLATES),
        allowedTools: maybe(() => random.someOf(TOOLS)),
        deniedTools: random.someOf(TOOLS),
        requireApproval: random.someOf(TOOLS),
      });
      const [ofInstance, ofRun] = [own(), own()];
      for (const tool of TOOLS) {
        const steps = [decide(base, tool), decide(base, tool, ofInstance), decide(base, tool, ofInstance, ofRun)];
        const levels = steps.map(({ effect }) => strictness[effect]);
        expect(levels).toEqual(levels.toSorted());
      }
    }
  });
});
