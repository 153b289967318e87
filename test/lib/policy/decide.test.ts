import { describe, expect, test } from '@jest/globals';
import { decideHost, decideImage, decideModel, decideSkill, sandboxOf } from '../../../lib/policy/decide.ts';
import { effectivePolicy } from '../../../lib/policy/effective.ts';
import { selects } from '../../../lib/policy/selector.ts';
import { agentRun, instance, policy, rulesOf } from '../../support/objects.ts';

const under = (...policies: Parameters<typeof rulesOf>) => effectivePolicy(rulesOf(...policies), instance());
const open = policy('own');

describe('Images come from where the policy says', () => {
  const images = (...registries: string[]) => under(policy('own', { images: { registries } }));

  test.each<[string, string, boolean]>([
    ['ghcr.io/acme', 'ghcr.io/acme/agent:1', true],
    ['ghcr.io/acme/', 'ghcr.io/acme/agent@sha256:0a', true],
    ['ghcr.io/acme', 'ghcr.io/acme:1', true],
    ['ghcr.io', 'ghcr.io/anyone/x', true],
    ['ghcr.io/acme', 'ghcr.io/acme-evil/agent', false],
    ['ghcr.io/acme', 'ghcr.io/acmeevil/agent', false],
    ['ghcr.io', 'ghcr.io.evil.example/x', false],
    ['ghcr.io/acme', 'ghcr.io/acme/../evil/x', false],
    ['ghcr.io/acme', 'ghcr.io/acme//x', false],
    ['ghcr.io/acme', 'GHCR.IO/acme/x', false],
    ['ghcr.io/acme', 'evil.example/ghcr.io/acme/x', false],
    ['ghcr.io:443/acme', 'ghcr.io/acme/x', false],
    ['localhost:5000', 'localhost:5000/x:1', true],
    ['docker.io', 'nginx', true],
    ['docker.io/library', 'nginx:1.27', true],
    ['docker.io/library', 'index.docker.io/library/nginx', true],
    ['docker.io/acme', 'acme/x', true],
    ['acme', 'docker.io/acme/x', true],
    ['acme', 'acme.evil.example/x', false],
    ['docker.io/acme', 'nginx', false],
    ['', 'ghcr.io/x', false],
  ])("'%s' and the image '%s': %s", (registry, image, allowed) => {
    expect(decideImage(images(registry), image).allowed).toBe(allowed);
  });

  test('any of the list will do, and every policy must agree', () => {
    const rules = under(
      policy('own', { images: { registries: ['ghcr.io', 'quay.io'] } }),
      policy('base', { images: { registries: ['quay.io/acme'] } }),
    );
    expect(decideImage(rules, 'quay.io/acme/x')).toEqual({ allowed: true });
    expect(decideImage(rules, 'ghcr.io/acme/x')).toEqual({
      allowed: false,
      because: "floor policy 'base' does not list its origin in images.registries",
    });
  });
});

describe('Hosts', () => {
  const egress = (mode: 'None' | 'Web' | 'All', ...hosts: string[]) =>
    under(policy('own', { egress: { mode, ...(hosts.length === 0 ? {} : { hosts }) } }));
  const outside = { inCluster: false };

  test.each<[string, string, boolean]>([
    ['example.com', 'example.com', true],
    ['example.com', 'EXAMPLE.com.', true],
    ['example.com', 'api.example.com', false],
    ['example.com', 'badexample.com', false],
    ['*.example.com', 'api.example.com', true],
    ['*.example.com', 'a.b.example.com', true],
    ['*.example.com', 'example.com', false],
    ['*.example.com', '.example.com', false],
    ['*.example.com', 'badexample.com', false],
    ['*.example.com', 'example.com.evil.org', false],
  ])("'%s' and '%s': %s", (pattern, host, allowed) => {
    expect(decideHost(egress('Web', pattern), host, outside).allowed).toBe(allowed);
  });

  test.each([
    ['None', false, false],
    ['Web', false, true],
    ['All', true, true],
  ] as const)('mode %s: inside %s, outside %s', (mode, inside, out) => {
    expect(decideHost(egress(mode), 'x', { inCluster: true }).allowed).toBe(inside);
    expect(decideHost(egress(mode), 'x', outside).allowed).toBe(out);
  });

  test.each([
    ['Permissive', 'All'],
    ['Default', 'Web'],
    ['Restrictive', 'None'],
  ] as const)('template %s means mode %s', (template, mode) => {
    expect(under(policy('own', { template })).egress).toEqual([{ source: "policy 'own'", mode }]);
  });

  test('the reason names the policy', () => {
    expect(decideHost(under(open, policy('base', { egress: { mode: 'None' } })), 'x', outside)).toEqual({
      allowed: false,
      because: "floor policy 'base' allows no connections (egress.mode None)",
    });
    expect(decideHost(egress('Web'), 'x', { inCluster: true })).toHaveProperty(
      'because',
      "policy 'own' allows no hosts inside of the cluster (egress.mode Web)",
    );
    expect(decideHost(egress('All', 'a'), 'x', outside)).toHaveProperty(
      'because',
      "policy 'own' does not list 'x' in egress.hosts",
    );
  });
});

describe('Models', () => {
  test.each<[string, string, boolean]>([
    ['openai/gpt-4o', 'openai/gpt-4o', true],
    ['openai/gpt-4o', 'openai/gpt-4o-mini', false],
    ['openai/*', 'openai/ft:gpt/4', true],
    ['*/gpt-4o', 'azure-openai/gpt-4o', true],
    ['anthropic/*-haiku*', 'anthropic/claude-haiku-4', true],
    ['anthropic/*-haiku*', 'anthropic/claude-opus', false],
    ['a*b*a', 'aba', true],
    ['ab*ba', 'aba', false],
    ['a*b*c', 'acb', false],
    ['.*', 'openai/x', false],
    ['*', 'openai/x', true],
  ])("'%s' and '%s': %s", (pattern, model, allowed) => {
    expect(decideModel(under(policy('own', { models: { allowed: [pattern] } })), model).allowed).toBe(allowed);
  });

  test('a pattern that is made to be slow is not', () => {
    const rules = under(policy('own', { models: { allowed: ['*a'.repeat(120) + 'b'] } }));
    const start = performance.now();
    expect(decideModel(rules, 'a'.repeat(250)).allowed).toBe(false);
    expect(performance.now() - start).toBeLessThan(50);
  });
});

test('Skills are those on every list', () => {
  const rules = under(
    policy('own', { skills: { allowed: ['a', 'b'] } }),
    policy('base', { skills: { allowed: ['b'] } }),
  );
  expect(decideSkill(rules, 'b')).toEqual({ allowed: true });
  expect(decideSkill(rules, 'a')).toEqual({
    allowed: false,
    because: "floor policy 'base' does not list it in skills.allowed",
  });
});

describe('Several policies', () => {
  const sandboxed = (name: string, runtimeClass: string) => policy(name, { sandbox: { enabled: true, runtimeClass } });

  test('agree on a sandbox, or there is none to be had', () => {
    expect(sandboxOf(under(open))).toEqual({});
    expect(sandboxOf(under(open, sandboxed('base', 'gvisor')))).toEqual({ runtimeClass: 'gvisor' });
    expect(sandboxOf(under(sandboxed('own', 'gvisor'), sandboxed('base', 'gvisor')))).toEqual({
      runtimeClass: 'gvisor',
    });
    expect(sandboxOf(under(sandboxed('own', 'gvisor'), sandboxed('base', 'kata')))).toHaveProperty('conflict');
  });

  test('have the shortest time, the strictest end and everyone whom they want asked', () => {
    const base = policy('base', {
      approval: { timeout: '5m', onTimeout: 'Fail', approvers: { groups: ['sre'] } },
      limits: { runTimeout: '1h', concurrentRuns: 9 },
    });
    const own = policy('own', { approval: { timeout: '1h', approvers: { users: ['alice'] } } });
    const limited = instance({ limits: { runTimeout: '30m', concurrentRuns: 12 } });
    expect(effectivePolicy(rulesOf(own, base), limited, agentRun('x'))).toMatchObject({
      name: 'own',
      floors: ['base'],
      approval: {
        timeoutSeconds: 300,
        onTimeout: 'Fail',
        approvers: [
          { source: "policy 'own'", users: ['alice'], groups: [] },
          { source: "floor policy 'base'", users: [], groups: ['sre'] },
        ],
      },
      limits: { runTimeoutSeconds: 1800, concurrentRuns: 9 },
    });
  });

  test('wait as usual when nobody says how long', () => {
    expect(under(open, policy('base')).approval).toEqual({ timeoutSeconds: 900, onTimeout: 'Deny', approvers: [] });
  });

  test('of one name in two namespaces are two', () => {
    const mine = policy('base', { deniedTools: ['a'] }, 'team');
    expect(under(mine, policy('base')).layers.map(({ source }) => source)).toEqual([
      "policy 'base'",
      "floor policy 'base'",
    ]);
    expect(under(policy('base'), policy('base')).floors).toEqual([]);
  });
});

test.each<[string, Parameters<typeof selects>[0], boolean]>([
  ['nothing', {}, true],
  ['a label', { matchLabels: { team: 'a' } }, true],
  ['another value', { matchLabels: { team: 'b' } }, false],
  ['a label that is not there', { matchLabels: { tier: 'a' } }, false],
  ['what every object inherits', { matchExpressions: [{ key: 'constructor', operator: 'Exists' }] }, false],
  ['In', { matchExpressions: [{ key: 'team', operator: 'In', values: ['a', 'b'] }] }, true],
  ['In others', { matchExpressions: [{ key: 'team', operator: 'In', values: ['b'] }] }, false],
  ['NotIn', { matchExpressions: [{ key: 'team', operator: 'NotIn', values: ['a'] }] }, false],
  ['NotIn, not there', { matchExpressions: [{ key: 'tier', operator: 'NotIn', values: ['a'] }] }, true],
  ['Exists', { matchExpressions: [{ key: 'team', operator: 'Exists' }] }, true],
  ['DoesNotExist', { matchExpressions: [{ key: 'team', operator: 'DoesNotExist' }] }, false],
  [
    'both',
    { matchLabels: { team: 'a' }, matchExpressions: [{ key: 'team', operator: 'NotIn', values: ['a'] }] },
    false,
  ],
])('A selector that asks for %s', (_, selector, selected) => {
  expect(selects(selector, { team: 'a' })).toBe(selected);
});
