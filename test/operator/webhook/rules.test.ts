import { describe, expect, test } from '@jest/globals';
import { admitInstance } from '../../../operator/webhook/rules/instance.ts';
import { admitPolicy } from '../../../operator/webhook/rules/policy.ts';
import { admitRun, type RunFacts } from '../../../operator/webhook/rules/agent-run.ts';
import { hasEffect, isTimeLimit, requestedByIsKept } from '../../../operator/webhook/rules/common.ts';
import { ALLOWED } from '../../../operator/webhook/review.ts';
import { agentRun, instance, policy } from '../../support/objects.ts';

const facts: RunFacts = {
  instance: instance(),
  policy: policy('default'),
  noPolicy: "SympoziumPolicy 'strict' is nowhere: create it",
  runtimeClassExists: () => true,
};

describe('A new run', () => {
  test('that can work is welcome', () => {
    expect(
      admitRun(agentRun('x', { timeout: '90s', toolPolicy: { allow: ['read_file'], deny: ['write_file'] } }), facts),
    ).toEqual(ALLOWED);
  });

  test.each<[string, Parameters<typeof agentRun>[1], Partial<RunFacts>, string]>([
    ['of an instance that is not there', {}, { instance: undefined, policy: undefined },
      "spec.instanceRef: SympoziumInstance 'helper' is not in namespace 'team': create it first, or correct the name"],
    ['whose policy is not there', {}, { policy: undefined },
      "SympoziumInstance 'helper': SympoziumPolicy 'strict' is nowhere: create it"],
    ['that has no time', { timeout: '0m0s' }, {},
      "spec.timeout is no time limit: got '0m0s', expected at least one second, for example '90s' or '10m'"],
    ['whose sandbox is not installed', {}, { policy: policy('strict', { sandbox: { enabled: true, runtimeClass: 'kata' } }), runtimeClassExists: () => false },
      "policy 'strict' needs RuntimeClass 'kata', which is not in this cluster: install it on the nodes, or choose a policy with another sandbox"],
    ['that allows and denies a tool', { toolPolicy: { allow: ['read_file'], deny: ['read_file'] } }, {},
      "spec.toolPolicy both allows and denies 'read_file': remove it from one of the two lists"],
    ['that asks for what its policy denies', { toolPolicy: { allow: ['execute_command'] } }, { policy: policy('strict', { deniedTools: ['execute_command'] }) },
      "spec.toolPolicy.allow lists 'execute_command', but policy 'strict' denies it: a run can only narrow what its policy allows; remove the tool, or have the policy changed"],
    ['that asks for what its instance denies', { toolPolicy: { allow: ['write_file'] } }, { instance: instance({ toolPolicy: { deny: ['write_file'] } }) },
      "spec.toolPolicy.allow lists 'write_file', but toolPolicy of SympoziumInstance 'helper' denies it: a run can only narrow what its policy allows; remove the tool, or have the policy changed"],
  ])('%s is refused', (_, spec, surroundings, refused) => {
    expect(admitRun(agentRun('x', spec), { ...facts, ...surroundings })).toEqual({ refused });
  }); // prettier-ignore

  test('hears of every problem at once', () => {
    const verdict = admitRun(agentRun('x', { timeout: '0s', toolPolicy: { allow: ['a'], deny: ['a'] } }), facts);
    expect(verdict).toEqual({ refused: expect.stringMatching(/^spec\.timeout .*; spec\.toolPolicy both /) });
  });

  test('is warned of a tool that waits for a person', () => {
    const asking = policy('default', { template: 'Default' });
    expect(
      admitRun(agentRun('x', { toolPolicy: { allow: ['execute_command'] } }), { ...facts, policy: asking }),
    ).toEqual({
      warnings: ["tool 'execute_command': policy 'default' asks for a person's approval"],
    });
  });
});

describe('An instance', () => {
  const known = { policyExists: true, noPolicy: '' };
  const unknown = { policyExists: false, noPolicy: "SympoziumPolicy 'x' is nowhere" };

  test('that can work is welcome', () => {
    expect(admitInstance(instance({ limits: { runTimeout: '1h' } }), known)).toEqual(ALLOWED);
  });
  test('whose policy is not there is refused', () => {
    expect(admitInstance(instance({ policy: 'x' }), unknown)).toEqual({
      refused: "spec.policy: SympoziumPolicy 'x' is nowhere",
    });
  });
  test.each([undefined, 'default', 'permissive', 'restrictive'])(
    'may come before its policy %s, which the platform makes itself',
    (name) => {
      const verdict = admitInstance(instance(name === undefined ? {} : { policy: name }), unknown);
      expect(verdict).toEqual({ warnings: ["SympoziumPolicy 'x' is nowhere"] });
    },
  );
  test('whose runs would have no time is refused', () => {
    expect(admitInstance(instance({ limits: { runTimeout: '0s' } }), known)).toHaveProperty(
      'refused',
      expect.stringContaining('spec.limits.runTimeout'),
    );
  });
});

test('A policy may name a sandbox that is still to be installed', () => {
  const strict = policy('strict', { template: 'Restrictive', sandbox: { enabled: true, runtimeClass: 'gvisor' } });
  expect(admitPolicy(strict, () => true)).toEqual(ALLOWED);
  expect(admitPolicy(strict, () => false)).toEqual({
    warnings: [
      "RuntimeClass 'gvisor' is not in this cluster: runs under this policy are refused until it is installed",
    ],
  });
});

describe('The name of whoever asked', () => {
  const by = (user?: string) =>
    agentRun(
      'x',
      {},
      {
        metadata: { name: 'x', ...(user === undefined ? {} : { annotations: { 'sympozium.ai/requested-by': user } }) },
      },
    );

  test('stays as it was stamped', () => {
    expect(requestedByIsKept(by('alice'), by('alice'))).toEqual(ALLOWED);
    expect(requestedByIsKept(undefined, by('alice'))).toEqual(ALLOWED);
  });
  test.each([
    ['mallory', "'mallory'"],
    [undefined, 'none'],
  ])('can not become %s', (user, shown) => {
    expect(requestedByIsKept(by('alice'), by(user))).toEqual({
      refused: `annotation sympozium.ai/requested-by can't be changed: got ${shown}, expected 'alice'; leave it as it was stamped`,
    });
  });
});

test.each(['', 'soon', '10', '-1m'])("'%s' is no time limit", (text) => {
  expect(isTimeLimit('spec.timeout', text)).toHaveProperty('refused');
});

describe('A field that nothing acts on yet', () => {
  test('is refused where it is a rule', () => {
    expect(hasEffect('SympoziumPolicy', { template: 'Default', budgets: {}, approval: {} })).toEqual({
      refused: 'spec.budgets is not enforced by this version: leave it out, so that nobody relies on it',
    });
  });
  test('earns a warning where something is only missing', () => {
    expect(hasEffect('SympoziumInstance', { skills: [], limits: { runTimeout: '1m' } })).toEqual({
      warnings: ['spec.skills has no effect in this version'],
    });
  });
  test('is told once for a kind that is only stored', () => {
    expect(hasEffect('SkillPack', { tools: [] })).toEqual({
      warnings: ['this version stores a SkillPack and does not act on it yet'],
    });
  });
  test('is no matter where there is none', () => {
    expect(hasEffect('AgentRun', { instanceRef: 'a', input: 'b' })).toEqual(ALLOWED);
  });
});
