import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { KubeClient } from '../../operator/kube/client.ts';
import type { KubeObject } from '../../operator/kube/port.ts';
import { AGENT_RUNS, INSTANCES, POLICIES } from '../../operator/kube/resources.ts';
import { ApiServer } from '../support/api-server.ts';
import { agentRun, instance, policy } from '../support/objects.ts';

let server: ApiServer;
let kube: KubeClient;

beforeAll(async () => {
  server = await ApiServer.start();
  kube = server.client();
  await server.namespace('team');
}, 90_000);
afterAll(async () => {
  kube.close();
  await server.remove();
});

/** Objects as people write them: the types say what is right, the server must say what is wrong. */
type Loose = KubeObject & { readonly spec: unknown };
const RESOURCES = { AgentRun: AGENT_RUNS, SympoziumInstance: INSTANCES, SympoziumPolicy: POLICIES };
const create = (object: Loose) =>
  kube.create(
    RESOURCES[object.kind as keyof typeof RESOURCES] as typeof AGENT_RUNS,
    {
      ...object,
      metadata: { ...object.metadata, namespace: 'team' },
    } as never,
  );
const run = (spec: object, name = 'bad'): Loose => ({
  ...agentRun(name),
  spec: { instanceRef: 'helper', input: 'hi', ...spec },
});
const agent = (spec: object): Loose => ({ ...instance(), spec: { ...instance().spec, ...spec } });
const rules = (spec: object): Loose => ({ ...policy('bad'), spec });

describe('The API server accepts', () => {
  test.each<[string, Loose]>([
    ['the smallest run', agentRun('small')],
    [
      'a run with everything',
      run(
        { timeout: '1h30m', ttlAfterFinished: '24h', toolPolicy: { allow: ['read_file'], deny: [] }, cancelled: false },
        'full',
      ),
    ],
    ['a run with the longest name', agentRun('a'.repeat(59))],
    ['the smallest instance', instance()],
    [
      'an instance that brings its agent',
      { ...instance({ agent: { image: 'a', env: [{ name: 'A', value: 'b' }] } }, 'own') },
    ],
    ['a permissive policy', policy('permissive')],
    [
      'a restrictive policy',
      policy('restrictive', { template: 'Restrictive', sandbox: { enabled: true, runtimeClass: 'gvisor' } }),
    ],
  ])('%s', async (_, object) => {
    expect((await create(object)).metadata.uid).toBeDefined();
  });
});

describe('The API server refuses', () => {
  test.each<[string, Loose, string]>([
    ['a run without input', run({ input: '' }), 'spec.input: Invalid value'],
    ['a run without an instance', { ...agentRun('bad'), spec: { input: 'hi' } }, 'spec.instanceRef: Required value'],
    ['a field that has no effect', run({ retries: 3 }), 'unknown field "spec.retries"'],
    ['a name that makes no DNS label', agentRun('a.b'), 'metadata.name must be a DNS label of at most 59 characters'],
    ['a name that is too long', agentRun('a'.repeat(60)), 'metadata.name must be a DNS label of at most 59 characters'],
    ['a timeout that is none', run({ timeout: 'soon' }), 'spec.timeout: Invalid value'],
    ['a tool twice', run({ toolPolicy: { allow: ['a', 'a'] } }), 'spec.toolPolicy.allow[1]: Duplicate value'],
    ['an input that is too long', run({ input: 'x'.repeat(65_537) }), 'spec.input: Too long'],
    [
      'a provider that is not known',
      agent({ provider: { name: 'acme', model: 'm', baseURL: 'http://x' } }),
      'Unsupported value: "acme"',
    ],
    [
      'a provider without a key',
      agent({ provider: { name: 'openai', model: 'm' } }),
      'apiKeySecret is missing: name a Secret',
    ],
    [
      'a sandbox without a RuntimeClass',
      rules({ template: 'Default', sandbox: { enabled: true } }),
      'runtimeClass is missing: name the RuntimeClass',
    ],
    [
      'a restrictive policy without a sandbox',
      rules({ template: 'Restrictive' }),
      'template Restrictive needs a sandbox',
    ],
  ])('%s', async (_, object, message) => {
    await expect(create(object)).rejects.toThrow(message);
  });
});

describe('A run that exists', () => {
  const change = async (spec: object) => {
    const found = await kube.get(AGENT_RUNS, { namespace: 'team', name: 'full' });
    if (found === undefined) throw new Error('the run of the first test is not there');
    return kube.replace(AGENT_RUNS, { ...found, spec: { ...found.spec, ...spec } });
  };

  test('begins as Pending, without a write of ours', async () => {
    expect(await kube.get(AGENT_RUNS, { namespace: 'team', name: 'full' })).toHaveProperty('status', {
      phase: 'Pending',
    });
  });
  test.each([
    { input: 'other' },
    { instanceRef: 'other' },
    { timeout: '1s' },
    { ttlAfterFinished: '1s' },
    { toolPolicy: undefined },
  ])('can not become %j', async (spec) => {
    await expect(change(spec)).rejects.toThrow(
      `${Object.keys(spec)[0] ?? ''} can't be changed after creation: create a new AgentRun`,
    );
  });
  test('can be cancelled, once and for all', async () => {
    await change({ cancelled: true });
    await expect(change({ cancelled: false })).rejects.toThrow("cancelled can't be set back to false");
    await expect(change({ cancelled: undefined })).rejects.toThrow("cancelled can't be set back to false");
  });
});
