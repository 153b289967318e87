import { describe, expect, test } from '@jest/globals';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { Yaml } from 'cdk8s';
import { job, policyHash, serviceAccount } from '../../../../operator/controllers/agent-run/desired.ts';
import { taskOf } from '../../../../operator/controllers/agent-run/task.ts';
import { effectivePolicy } from '../../../../lib/policy/effective.ts';
import { agentRun, instance, policy, rulesOf, settings } from '../../../support/objects.ts';

const run = agentRun('x', {}, { metadata: { name: 'x', namespace: 'team', uid: '7d7c' } });
const rules = effectivePolicy(rulesOf(policy('default')), instance());
const gvisor = policy('sandboxed', { sandbox: { enabled: true, runtimeClass: 'gvisor' } });
const sandbox = effectivePolicy(rulesOf(policy('default'), gvisor), instance());

/** Compares with a file that a reviewer can read; `UPDATE_GOLDEN=1` rewrites it. */
function expectGolden(name: string, ...objects: readonly object[]): void {
  const path = `test/golden/${name}.yaml`;
  const actual = Yaml.stringify(...objects);
  if (process.env.UPDATE_GOLDEN === '1') writeFileSync(path, actual);
  expect(existsSync(path) ? readFileSync(path, 'utf8') : '').toBe(actual);
}

interface Template {
  readonly containers: readonly {
    readonly name: string;
    readonly image: string;
    readonly command?: readonly string[];
    readonly env: readonly { readonly name: string; readonly value: string }[];
    readonly volumeMounts: readonly { readonly name: string }[];
  }[];
  readonly runtimeClassName?: string;
}
const podOf = (...args: Parameters<typeof job>): Template =>
  (job(...args).spec as { readonly template: { readonly spec: Template } }).template.spec;

describe('The objects of a run', () => {
  test('are these', () => {
    expectGolden('run', serviceAccount(run), job({ run, instance: instance(), policy: sandbox, settings }));
  });

  test('are the same each time', () => {
    const observed = { run, instance: instance(), policy: rules, settings };
    expect(job(observed)).toEqual(job(structuredClone(observed)));
  });

  test('give tokens to the bridge only', () => {
    const [agent, bridge] = podOf({ run, instance: instance(), policy: rules, settings }).containers;
    expect(agent?.volumeMounts.map(({ name }) => name)).toEqual(['agent-in', 'agent-out', 'workspace', 'tmp']);
    expect(bridge?.volumeMounts.map(({ name }) => name)).toContain('tokens');
    expect(JSON.stringify(agent)).not.toContain(settings.busUrl);
  });

  test('run another image as it is, but never let it replace our variables', () => {
    const own = instance({
      agent: {
        image: 'ghcr.io/me/agent:1',
        env: [
          { name: 'OPENAI_BASE_URL', value: 'http://evil' },
          { name: 'MINE', value: '1' },
        ],
      },
    });
    const [agent] = podOf({ run, instance: own, policy: rules, settings }).containers;
    expect(agent).toMatchObject({ image: 'ghcr.io/me/agent:1' });
    expect(agent).not.toHaveProperty('command');
    expect(agent?.env).toEqual([
      { name: 'MINE', value: '1' },
      { name: 'SYMPOZIUM_MAILBOX', value: '/ipc' },
      { name: 'OPENAI_BASE_URL', value: 'http://127.0.0.1:8181/v1' },
      { name: 'OPENAI_API_KEY', value: 'none' },
    ]);
  });

  test('run under the sandbox that the policy asks for', () => {
    expect(podOf({ run, instance: instance(), policy: sandbox, settings }).runtimeClassName).toBe('gvisor');
  });

  test.each([
    [{}, {}, 600],
    [{}, { runTimeout: '90s' }, 90],
    [{ timeout: '60s' }, { runTimeout: '90s' }, 60],
    [{ timeout: '1h' }, { runTimeout: '90s' }, 90],
    [{ timeout: '2h' }, {}, 3600],
  ])(
    'may take as long as the run %j says, and the limits %j of the instance and 1h of the policy allow',
    (spec, limits, seconds) => {
      const of = instance({ limits });
      const hour = effectivePolicy(rulesOf(policy('default', { limits: { runTimeout: '1h' } })), of);
      const made = job({ run: agentRun('x', spec), instance: of, policy: hour, settings });
      expect(made.metadata.annotations).toMatchObject({ 'sympozium.ai/timeout-seconds': String(seconds) });
      expect(made.spec).toMatchObject({ activeDeadlineSeconds: seconds + 60 });
    },
  );
});

test('The fingerprint of rules depends on the rules only', () => {
  const [layer] = rules.layers;
  const { name, floors, ...rest } = rules;
  const shuffled = {
    ...rest,
    layers: [{ approve: layer?.approve, deny: layer?.deny, source: layer?.source }],
    floors,
    name,
  } as typeof rules;
  expect(policyHash(shuffled)).toBe(policyHash(rules));
  expect(policyHash(sandbox)).not.toBe(policyHash(rules));
  expect(policyHash(rules)).toMatch(/^[0-9a-f]{12}$/);
});

test('The task carries what the agent needs, and the rules for the bridge', () => {
  const told = taskOf({
    run,
    instance: instance({ systemPrompt: 'Be brief.', limits: { modelCallsPerRun: 7 } }),
    policy: rules,
  });
  expect(told).toEqual({
    v: 1,
    uid: '7d7c',
    task: { input: 'hello', systemPrompt: 'Be brief.', model: 'gpt' },
    instance: 'helper',
    policy: rules,
    limits: { modelCalls: 7 },
  });
});
