import { describe, expect, test } from '@jest/globals';
import { admitInstance, type InstanceFacts } from '../../../operator/webhook/rules/instance.ts';
import { admitPolicy, type PolicyFacts } from '../../../operator/webhook/rules/policy.ts';
import { admitRun, type RunFacts } from '../../../operator/webhook/rules/agent-run.ts';
import { hasEffect, isTimeLimit, requestedByIsKept } from '../../../operator/webhook/rules/common.ts';
import { ALLOWED } from '../../../operator/webhook/review.ts';
import { agentRun, instance, policy, rulesOf } from '../../support/objects.ts';

const facts: RunFacts = {
  instance: instance(),
  rules: rulesOf(policy('default')),
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
    ['of an instance that is not there', {}, { instance: undefined, rules: undefined },
      "spec.instanceRef: SympoziumInstance 'helper' is not in namespace 'team': create it first, or correct the name"],
    ['whose policy is not there', {}, { rules: undefined },
      "SympoziumInstance 'helper': SympoziumPolicy 'strict' is nowhere: create it"],
    ['that has no time', { timeout: '0m0s' }, {},
      "spec.timeout is no time limit: got '0m0s', expected at least one second, for example '90s' or '10m'"],
    ['whose sandbox is not installed', {}, { rules: rulesOf(policy('strict', { sandbox: { enabled: true, runtimeClass: 'kata' } })), runtimeClassExists: () => false },
      "policy 'strict' needs RuntimeClass 'kata', which is not in this cluster: install it on the nodes, or choose a policy with another sandbox"],
    ['that allows and denies a tool', { toolPolicy: { allow: ['read_file'], deny: ['read_file'] } }, {},
      "spec.toolPolicy both allows and denies 'read_file': remove it from one of the two lists"],
    ['that asks for what its policy denies', { toolPolicy: { allow: ['execute_command'] } }, { rules: rulesOf(policy('strict', { deniedTools: ['execute_command'] })) },
      "spec.toolPolicy.allow lists 'execute_command', but policy 'strict' denies it: a run can only narrow what its policy allows; remove the tool, or have the policy changed"],
    ['that asks for what its instance denies', { toolPolicy: { allow: ['write_file'] } }, { instance: instance({ toolPolicy: { deny: ['write_file'] } }) },
      "spec.toolPolicy.allow lists 'write_file', but toolPolicy of SympoziumInstance 'helper' denies it: a run can only narrow what its policy allows; remove the tool, or have the policy changed"],
  ])('%s is refused', (_, spec, surroundings, refused) => {
    expect(admitRun(agentRun('x', spec), { ...facts, ...surroundings })).toEqual({ refused });
  }); // prettier-ignore

  test('is told that it gets less time than it wants', () => {
    const hour = rulesOf(policy('default', { limits: { runTimeout: '1h' } }));
    expect(admitRun(agentRun('x', { timeout: '1h' }), { ...facts, rules: hour })).toEqual(ALLOWED);
    expect(admitRun(agentRun('x', { timeout: '61m' }), { ...facts, rules: hour })).toEqual({
      warnings: ["spec.timeout: '61m' is more than the limits of policy and instance allow: the run gets 3600 s"],
    });
  });

  test('of an instance that its policy forbids by now is refused', () => {
    const rules = rulesOf(policy('default'), policy('base', { models: { allowed: ['anthropic/*'] } }));
    expect(admitRun(agentRun('x'), { ...facts, rules })).toEqual({
      refused:
        "SympoziumInstance 'helper': spec.provider: model 'openai/gpt' is not allowed, because floor policy 'base' does not list it in models.allowed: use one that is, or have the policy changed",
    });
  });

  test('hears of every problem at once', () => {
    const verdict = admitRun(agentRun('x', { timeout: '0s', toolPolicy: { allow: ['a'], deny: ['a'] } }), facts);
    expect(verdict).toEqual({ refused: expect.stringMatching(/^spec\.timeout .*; spec\.toolPolicy both /) });
  });

  test('is warned of a tool that waits for a person', () => {
    const asking = policy('default', { template: 'Default' });
    expect(
      admitRun(agentRun('x', { toolPolicy: { allow: ['execute_command'] } }), { ...facts, rules: rulesOf(asking) }),
    ).toEqual({
      warnings: ["tool 'execute_command': policy 'default' asks for a person's approval"],
    });
  });
});

describe('An instance', () => {
  const under = (...policies: Parameters<typeof rulesOf>): InstanceFacts => ({
    rules: rulesOf(...policies),
    noPolicy: '',
    runtimeClassExists: (name) => name === 'gvisor',
  });
  const open = under(policy('default'));
  const unknown = { ...open, rules: undefined, noPolicy: "SympoziumPolicy 'x' is nowhere" };
  const strict = policy('strict', {
    models: { allowed: ['openai/gpt-4*', 'anthropic/*'] },
    skills: { allowed: ['k8s-ops'] },
    images: { registries: ['ghcr.io/acme'] },
    limits: { runTimeout: '1h', concurrentRuns: 3 },
  });

  test('that can work is welcome', () => {
    expect(admitInstance(instance({ limits: { runTimeout: '1h' } }), open)).toEqual(ALLOWED);
    const good = instance({
      provider: { name: 'openai', model: 'gpt-4o', baseURL: 'http://x' },
      skills: ['k8s-ops'],
      agent: { image: 'ghcr.io/acme/agent:1' },
      limits: { runTimeout: '1h', concurrentRuns: 3 },
    });
    expect(admitInstance(good, under(strict))).toEqual(ALLOWED);
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
  test.each<[string, Parameters<typeof instance>[0], InstanceFacts, string]>([
    ['whose runs would have no time', { limits: { runTimeout: '0s' } }, open,
      "spec.limits.runTimeout is no time limit: got '0s', expected at least one second, for example '90s' or '10m'"],
    ['whose model is not allowed', {}, under(policy('own'), policy('base', { models: { allowed: ['anthropic/*'] } })),
      "spec.provider: model 'openai/gpt' is not allowed, because floor policy 'base' does not list it in models.allowed: use one that is, or have the policy changed"],
    ['with a skill that is not allowed', { skills: ['k8s-ops', 'github-gitops'] }, under(policy('strict', { skills: { allowed: ['k8s-ops'] } })),
      "spec.skills: SkillPack 'github-gitops' is not allowed, because policy 'strict' does not list it in skills.allowed: use one that is, or have the policy changed"],
    ['with an image from elsewhere', { agent: { image: 'ghcr.io/acme-evil/x:1' } }, under(policy('strict', { images: { registries: ['ghcr.io/acme'] } })),
      "spec.agent.image: image 'ghcr.io/acme-evil/x:1' is not allowed, because policy 'strict' does not list its origin in images.registries: use one that is, or have the policy changed"],
    ['that wants more time than its policy gives', { limits: { runTimeout: '2h' } }, under(policy('strict', { limits: { runTimeout: '90m' } })),
      "spec.limits.runTimeout: got 2h, but policy 'strict' allows at most 90m: lower it, or have the policy changed"],
    ['that wants more runs at once than its policy gives', { limits: { concurrentRuns: 4 } }, under(policy('own'), policy('base', { limits: { concurrentRuns: 3 } })),
      "spec.limits.concurrentRuns: got 4, but floor policy 'base' allows at most 3: lower it, or have the policy changed"],
    ['whose sandbox is not installed', {}, under(policy('strict', { sandbox: { enabled: true, runtimeClass: 'kata' } })),
      "policy 'strict' needs RuntimeClass 'kata', which is not in this cluster: install it on the nodes, or choose a policy with another sandbox"],
    ['whose policies ask for different sandboxes', {},
      { ...under(policy('own', { sandbox: { enabled: true, runtimeClass: 'gvisor' } }), policy('base', { sandbox: { enabled: true, runtimeClass: 'kata' } })), runtimeClassExists: () => true },
      "policy 'own' asks for RuntimeClass 'gvisor' and floor policy 'base' for 'kata', but a Pod has only one: choose a policy that asks for the same one, or have one of them changed"],
    ['that allows and denies a tool', { toolPolicy: { allow: ['a', 'b'], deny: ['b'] } }, open,
      "spec.toolPolicy both allows and denies 'b': remove it from one of the two lists"],
  ])('%s is refused', (_, spec, facts, refused) => {
    expect(admitInstance(instance(spec), facts)).toEqual({ refused });
  }); // prettier-ignore

  test('hears of a tool that stays denied', () => {
    const lists = instance({ toolPolicy: { allow: ['write_file'] } });
    expect(admitInstance(lists, under(policy('own'), policy('base', { deniedTools: ['write_file'] })))).toEqual({
      warnings: ["spec.toolPolicy.allow lists 'write_file', which stays denied: floor policy 'base' denies it"],
    });
  });
});

describe('A policy', () => {
  const facts: PolicyFacts = { systemNamespace: 'sympozium-system', runtimeClassExists: () => true };
  const judge = (spec: Parameters<typeof policy>[1], namespace?: string) =>
    admitPolicy(policy('strict', spec, namespace), facts);

  test('may name a sandbox that is still to be installed', () => {
    const strict = policy('strict', { template: 'Restrictive', sandbox: { enabled: true, runtimeClass: 'gvisor' } });
    expect(admitPolicy(strict, facts)).toEqual(ALLOWED);
    expect(admitPolicy(strict, { ...facts, runtimeClassExists: () => false })).toEqual({
      warnings: [
        "RuntimeClass 'gvisor' is not in this cluster: runs under this policy are refused until it is installed",
      ],
    });
  });

  test('that says everything it can is welcome', () => {
    const everything: Parameters<typeof policy>[1] = {
      approval: { timeout: '24h', onTimeout: 'Fail', approvers: { groups: ['sre'] } },
      egress: { mode: 'Web', hosts: ['api.example.com', '*.example.com', '10.0.0.1', 'fd00::1', 'localhost'] },
      models: { allowed: ['*', 'openai/*', '*/gpt-4o', 'anthropic/claude-*', 'open*'] },
      images: { registries: ['ghcr.io', 'ghcr.io/acme/', 'localhost:5000/a/b', 'acme'] },
      limits: { runTimeout: '1h', concurrentRuns: 1 },
      skills: { allowed: [] },
      enforce: { namespaceSelector: { matchExpressions: [{ key: 'team', operator: 'In', values: ['a'] }] } },
    };
    expect(judge(everything)).toEqual(ALLOWED);
  });

  test.each<[string, Parameters<typeof policy>[1], string]>([
    ['whose approvers are nobody', { approval: { approvers: { users: [] } } },
      'spec.approval.approvers names nobody, so no call could ever be approved: list users or groups, or leave approvers out'],
    ['whose calls would wait too long', { approval: { timeout: '25h' } }, "spec.approval.timeout is too long: got '25h', expected at most 24h"],
    ['whose calls could not wait', { approval: { timeout: '0s' } }, "spec.approval.timeout is no time limit: got '0s', expected at least one second, for example '90s' or '10m'"],
    ['that gives runs no time', { limits: { runTimeout: '0s' } }, "spec.limits.runTimeout is no time limit: got '0s', expected at least one second, for example '90s' or '10m'"],
    ['with a model without provider', { models: { allowed: ['gpt-4o'] } },
      "spec.models.allowed: 'gpt-4o' matches no model: expected provider/model, for example 'openai/gpt-4o' or 'anthropic/*'; providers are openai, anthropic, azure-openai, bedrock, ollama, lm-studio"],
    ['with a model of nobody', { models: { allowed: ['gpt*'] } }, "spec.models.allowed: 'gpt*' matches no model: expected provider/model, for example 'openai/gpt-4o' or 'anthropic/*'; providers are openai, anthropic, azure-openai, bedrock, ollama, lm-studio"],
    ['with a selector without values', { enforce: { namespaceSelector: { matchExpressions: [{ key: 'a', operator: 'In' }] } } },
      "spec.enforce.namespaceSelector: operator In for 'a' takes values, got none: list at least one"],
    ['with a selector with values too many', { enforce: { namespaceSelector: { matchExpressions: [{ key: 'a', operator: 'Exists', values: ['b'] }] } } },
      "spec.enforce.namespaceSelector: operator Exists for 'a' takes no values: leave them out"],
  ])('%s is refused', (_, spec, refused) => {
    expect(judge(spec)).toEqual({ refused });
  }); // prettier-ignore

  test.each(['https://example.com', 'example.com:443', 'example.com/x', '*', 'a.*.com', '*example.com', '-a.com', ''])(
    "is refused with the host '%s'",
    (host) => {
      expect(judge({ egress: { mode: 'Web', hosts: [host] } })).toEqual({
        refused: `spec.egress.hosts: '${host}' is no host: expected a name or an address without scheme, port and path, for example 'api.example.com', or '*.example.com' for all names below`,
      });
    },
  );

  test.each(['https://ghcr.io', 'ghcr.io/acme:1', 'ghcr.io/*', 'ghcr.io//x', 'ghcr.io/acme/../x', '/'])(
    "is refused with the registry '%s'",
    (entry) => {
      expect(judge({ images: { registries: [entry] } })).toHaveProperty(
        'refused',
        expect.stringContaining(`spec.images.registries: '${entry}' is not the beginning of an image's name`),
      );
    },
  );

  test('is a floor in the system namespace only', () => {
    const floor = { enforce: { namespaceSelector: {} } };
    expect(judge(floor)).toEqual(ALLOWED);
    expect(judge(floor, 'team')).toEqual({
      refused:
        "spec.enforce is for policies in namespace 'sympozium-system' only, got namespace 'team': leave it out, or have an administrator create the policy there",
    });
  });

  test('hears of hosts that it closes', () => {
    expect(judge({ egress: { mode: 'None', hosts: ['example.com'] } })).toEqual({
      warnings: ['spec.egress.hosts has no effect while egress.mode is None'],
    });
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
    expect(hasEffect('SympoziumInstance', { mcpServers: [], limits: { runTimeout: '1m' } })).toEqual({
      warnings: ['spec.mcpServers has no effect in this version'],
    });
  });
  test('is told once for a kind that is only stored', () => {
    expect(hasEffect('MCPServer', { allow: [] })).toEqual({
      warnings: ['this version stores a MCPServer and does not act on it yet'],
    });
  });
  test('is no matter where there is none', () => {
    expect(hasEffect('AgentRun', { instanceRef: 'a', input: 'b' })).toEqual(ALLOWED);
  });
});
