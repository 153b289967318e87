import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { API_VERSION } from '../../../../lib/api/group.ts';
import type { PersonaPack } from '../../../../lib/api/v1alpha1/persona-pack.ts';
import type { SympoziumInstance } from '../../../../lib/api/v1alpha1/instance.ts';
import type { CheckInstance } from '../../../../operator/controllers/gateway-client.ts';
import { EVENTS, INSTANCES, NETWORK_POLICIES, PERSONA_PACKS, POLICIES } from '../../../../operator/kube/resources.ts';
import { FakeBus, startControlPlane, type ControlPlane } from '../../../support/control-plane.ts';
import { FakeClock, settle } from '../../../support/fake-clock.ts';
import { FakeKube } from '../../../support/fake-kube.ts';
import { must } from '../../../support/must.ts';
import { instance, policy } from '../../../support/objects.ts';

let kube: FakeKube;
let clock: FakeClock;
let plane: ControlPlane;
let check: CheckInstance;

beforeEach(async () => {
  kube = new FakeKube(policy('default'));
  clock = new FakeClock();
  check = () => Promise.resolve({ ready: true });
  plane = await startControlPlane({ kube, bus: new FakeBus(), clock, check: (...args) => check(...args) });
  await settle();
});
afterEach(async () => {
  await plane.stop();
});

const ready = async () => {
  const found = await kube.get(INSTANCES, { namespace: 'team', name: 'helper' });
  const { type, status, reason, observedGeneration } = found?.status?.conditions?.[0] ?? {};
  return [type, status, reason, observedGeneration];
};
const put = async (object: SympoziumInstance = instance()) => {
  kube.put(object);
  await settle();
};
const reasons = async () => (await kube.list(EVENTS)).items.map(({ type, reason }) => `${type} ${reason}`);

test('An instance with all it needs is ready, for its generation', async () => {
  await put();
  expect(await ready()).toEqual(['Ready', 'True', 'Accepted', 1]);
  expect(await reasons()).toEqual(['Normal Ready']);
});

test('An instance says what it lacks, and notices within half a minute that it is there', async () => {
  check = () => Promise.resolve({ ready: false, reason: 'CredentialsNotFound', message: 'create the Secret' });
  await put();
  expect(await ready()).toEqual(['Ready', 'False', 'CredentialsNotFound', 1]);
  check = () => Promise.resolve({ ready: true });
  await clock.advance(30_000);
  expect(await ready()).toEqual(['Ready', 'True', 'Accepted', 1]);
  expect(await reasons()).toEqual(['Warning CredentialsNotFound', 'Normal Ready']);
});

test('An instance hears at once of the policy it waits for', async () => {
  await put(instance({ policy: 'strict' }));
  expect(await ready()).toEqual(['Ready', 'False', 'PolicyNotFound', 1]);
  kube.put(policy('strict', {}, 'team'));
  await settle();
  expect(await ready()).toEqual(['Ready', 'True', 'Accepted', 1]);
});

test('An instance hears at once of a floor that forbids its model, and of its namespace leaving the floor', async () => {
  const namespace = (labels: Record<string, string>) =>
    kube.put({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'team', labels } });
  namespace({ tier: 'production' });
  await put();
  const enforce = { namespaceSelector: { matchLabels: { tier: 'production' } } };
  kube.put(policy('base', { enforce, models: { allowed: ['anthropic/*'] } }));
  await settle();
  expect(await ready()).toEqual(['Ready', 'False', 'PolicyViolation', 1]);
  namespace({});
  await settle();
  expect(await ready()).toEqual(['Ready', 'True', 'Accepted', 1]);
});

test('An instance is not looked at again when only the status of its policy changes', async () => {
  const checked: string[] = [];
  check = (_, name) => {
    checked.push(name);
    return Promise.resolve({ ready: true });
  };
  await put();
  const before = checked.length;
  await put(instance({}, 'another')); // the policy now counts one more
  expect((await kube.get(POLICIES, { namespace: 'sympozium-system', name: 'default' }))?.status).toHaveProperty(
    'boundInstances',
    2,
  );
  expect(checked.slice(before)).not.toContain('helper');
});

test('Nobody knows while the gateway is away, and nobody is alarmed', async () => {
  check = () => Promise.reject(new Error('connection refused'));
  await put();
  expect(await ready()).toEqual(['Ready', 'Unknown', 'GatewayUnreachable', 1]);
  expect(await reasons()).toEqual([]);
});

test('An instance says which of its fields nothing acts on yet, until it leaves them out', async () => {
  await put(instance({ mcpServers: ['x'] }));
  const types = async () =>
    (await kube.get(INSTANCES, { namespace: 'team', name: 'helper' }))?.status?.conditions?.map(({ type }) => type);
  expect(await types()).toEqual(['Ready', 'FullyEffective']);
  await put(instance());
  expect(await types()).toEqual(['Ready']);
});

test('A pack that nothing acts on yet says so', async () => {
  const pack = {
    apiVersion: API_VERSION,
    kind: 'PersonaPack',
    metadata: { name: 'team', namespace: 'team' },
    spec: { enabled: true, personas: [] },
  } as const;
  kube.put(pack as unknown as PersonaPack);
  await settle();
  const found = await kube.get(PERSONA_PACKS, { namespace: 'team', name: 'team' });
  expect(found?.status?.conditions?.map(({ type, status, reason }) => [type, status, reason])).toEqual([
    ['Ready', 'False', 'NotSupported'],
    ['Stalled', 'True', 'NotSupported'],
  ]);
});

test('A settled instance costs no writes', async () => {
  await put();
  const before = kube.writes.length;
  await clock.advance(3_600_000);
  expect(kube.writes.slice(before)).toEqual([]);
});

test('Its namespace is isolated, and stays so', async () => {
  await put();
  const name = { namespace: 'team', name: 'sympozium-run-deny-all' };
  const before = must(await kube.get(NETWORK_POLICIES, name));
  expect(before.spec).toEqual({
    podSelector: { matchLabels: { 'sympozium.ai/component': 'run' } },
    policyTypes: ['Ingress', 'Egress'],
  });
  kube.remove(before);
  await settle();
  const restored = must(await kube.get(NETWORK_POLICIES, name));
  expect(restored.spec).toEqual(before.spec);
  kube.put({ ...restored, spec: { podSelector: {}, policyTypes: [] } });
  await settle();
  expect((await kube.get(NETWORK_POLICIES, name))?.spec).toEqual(before.spec);
});

test('Built-in policies come with the leader, but an administrator may have changed one', async () => {
  const policies = (await kube.list(POLICIES)).items.map(({ metadata, spec }) => [metadata.name, spec.template]);
  expect(policies.sort()).toEqual([
    ['default', 'Permissive'], // as it was found
    ['permissive', 'Permissive'],
    ['restrictive', 'Restrictive'],
  ]);
});
