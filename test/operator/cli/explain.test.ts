import { beforeEach, describe, expect, test } from '@jest/globals';
import { API_VERSION } from '../../../lib/api/group.ts';
import { runCli, type CliOptions } from '../../../operator/cli/program.ts';
import { KubeError } from '../../../operator/kube/errors.ts';
import { FakeKube } from '../../support/fake-kube.ts';
import { instance, policy } from '../../support/objects.ts';

const namespace = (name: string, labels: Record<string, string> = {}) => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name, labels },
});
const pack = (name: string, tool: string) => ({
  apiVersion: API_VERSION,
  kind: 'SkillPack',
  metadata: { name, namespace: 'sympozium-system' },
  spec: { sidecar: { image: 'x' }, tools: [{ name: tool, description: 'd', exec: ['x'] }] },
});

let kube: FakeKube;
let out: string;
let err: string;

beforeEach(() => {
  const enforce = { namespaceSelector: { matchLabels: { tier: 'production' } } };
  kube = new FakeKube(
    namespace('team', { tier: 'production' }),
    policy('default', { template: 'Default', skills: { allowed: ['k8s-ops'] } }),
    policy('base', {
      enforce,
      deniedTools: ['write_file'],
      sandbox: { enabled: true, runtimeClass: 'gvisor' },
      egress: { mode: 'Web', hosts: ['*.example.com'] },
      approval: { timeout: '5m', approvers: { users: ['alice'], groups: ['sre'] } },
      limits: { runTimeout: '90m', concurrentRuns: 1 },
    }),
    policy('elsewhere', {
      enforce: { namespaceSelector: { matchLabels: { tier: 'test' } } },
      deniedTools: ['read_file'],
    }),
    pack('k8s-ops', 'k8s_get'),
    instance({
      skills: ['k8s-ops', 'unknown'],
      agent: { image: 'ghcr.io/acme/x' },
      toolPolicy: { deny: ['list_directory'] },
    }),
  );
  out = err = '';
});

const run = (...args: string[]) => {
  const options: CliOptions = {
    version: '1.2.3',
    connect: () => Promise.resolve({ kube, namespace: 'team', close: () => undefined }),
    write: (text) => (out += text),
    complain: (text) => (err += text),
    paint: (colour, text) => (colour === 'bold' ? text : `<${text}>`),
  };
  return runCli(['policy', 'explain', ...args], options);
};

describe('policy explain', () => {
  test('says what holds and why', async () => {
    expect(await run('helper')).toBe(0);
    expect(err).toBe('');
    expect(out).toBe(`SympoziumInstance 'helper' in namespace 'team'
  policy    default (namespace sympozium-system)
  floors    base
  sandbox   RuntimeClass 'gvisor' is not in this cluster: no run can be started
  approval  within 5m, then denied; by user alice or group sre (floor policy 'base')
  limits    a run takes at most 1h30m, at most 1 run at once

tool   execute_command     <asks>     policy 'default' asks for a person's approval
tool   read_file           <allowed>
tool   write_file          <denied>   floor policy 'base' denies it
tool   list_directory      <denied>   toolPolicy of SympoziumInstance 'helper' denies it
tool   k8s_get             <allowed>
model  openai/gpt          <allowed>
skill  k8s-ops             <allowed>
skill  unknown             <denied>   policy 'default' does not list it in skills.allowed
image  ghcr.io/acme/x      <allowed>
host   *.example.com       <allowed>
host   other hosts         <denied>   floor policy 'base' does not list them in egress.hosts
host   inside the cluster  <denied>   policy 'default' allows no hosts inside of the cluster (egress.mode Web)

<No run can be started:>
spec.skills: SkillPack 'unknown' is not allowed, because policy 'default' does not list it in skills.allowed: use one that is, or have the policy changed
`);
  });

  test.each([
    ['read_file', 0, 'read_file: <allowed>\n'],
    ['execute_command', 0, "execute_command: <asks>, because policy 'default' asks for a person's approval\n"],
    ['write_file', 1, "write_file: <denied>, because floor policy 'base' denies it\n"],
    ['never_heard_of', 0, 'never_heard_of: <allowed>\n'],
  ])('says it of the tool %s alone', async (tool, code, text) => {
    expect(await run('helper', tool)).toBe(code);
    expect(out).toBe(text);
  });

  test('gives programs everything as JSON', async () => {
    expect(await run('helper', '-o', 'json')).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      instance: { namespace: 'team', name: 'helper' },
      policy: { namespace: 'sympozium-system', name: 'default' },
      floors: ['base'],
      tools: expect.arrayContaining([
        { name: 'write_file', effect: 'deny', because: "floor policy 'base' denies it" },
      ]) as unknown,
      sandbox: { runtimeClass: 'gvisor' },
      limits: { runTimeoutSeconds: 5400, concurrentRuns: 1 },
      effectivePolicy: { name: 'default', floors: ['base'] },
    });
    out = '';
    expect(await run('helper', 'write_file', '-o', 'json')).toBe(1);
    expect(JSON.parse(out)).toEqual({ name: 'write_file', effect: 'deny', because: "floor policy 'base' denies it" });
  });

  test('knows the RuntimeClass where it is there', async () => {
    kube.put({ apiVersion: 'node.k8s.io/v1', kind: 'RuntimeClass', metadata: { name: 'gvisor' } });
    await run('helper');
    expect(out).toContain('  sandbox   RuntimeClass gvisor\n');
  });
});

describe('policy explain can not answer', () => {
  test.each<[string, string[], string]>([
    ['of an instance that is not there', ['nobody'], "sympozium: SympoziumInstance 'nobody' is not in namespace 'team': correct the name, or name its namespace with --namespace\n"],
    ['in another namespace', ['helper', '-n', 'other'], "sympozium: SympoziumInstance 'helper' is not in namespace 'other': correct the name, or name its namespace with --namespace\n"],
    ['without an instance', [], "error: missing required argument 'instance'\n(run with --help for all options)\n"],
    ['in an unknown format', ['helper', '-o', 'xml'], "error: option '-o, --output <format>' argument 'xml' is invalid. Allowed choices are text, json.\n(run with --help for all options)\n"],
  ])('%s', async (_, args, said) => {
    expect(await run(...args)).toBe(2);
    expect(err).toBe(said);
    expect(out).toBe('');
  }); // prettier-ignore

  test('of a policy that is not there', async () => {
    kube.put(instance({ policy: 'lenient' }, 'lost'));
    expect(await run('lost')).toBe(2);
    expect(err).toContain(
      "sympozium: SympoziumPolicy 'lenient' is neither in namespace 'team' nor in 'sympozium-system'",
    );
  });

  test('to someone who may not see the floors', async () => {
    const list = kube.list.bind(kube);
    kube.list = (resource, selection) =>
      selection?.namespace === 'sympozium-system'
        ? Promise.reject(new KubeError('Forbidden', 403, 'no'))
        : list(resource, selection);
    expect(await run('helper')).toBe(2);
    expect(err).toBe(
      "sympozium: you may not list SympoziumPolicies in namespace 'sympozium-system', so nobody can say what holds: ask an administrator, or use another --context\n",
    );
  });
});
