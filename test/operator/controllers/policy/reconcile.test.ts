import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { POLICIES } from '../../../../operator/kube/resources.ts';
import { FakeBus, startControlPlane, type ControlPlane } from '../../../support/control-plane.ts';
import { FakeClock, settle } from '../../../support/fake-clock.ts';
import { FakeKube } from '../../../support/fake-kube.ts';
import { instance, policy } from '../../../support/objects.ts';

const SYSTEM = 'sympozium-system';

let kube: FakeKube;
let plane: ControlPlane;

beforeEach(async () => {
  kube = new FakeKube(policy('default'));
  plane = await startControlPlane({ kube, bus: new FakeBus(), clock: new FakeClock() });
  await settle();
});
afterEach(async () => {
  await plane.stop();
});

const put = async (...objects: Parameters<FakeKube['put']>[0][]) => {
  for (const object of objects) kube.put(object);
  await settle();
};
const status = async (name: string, namespace = SYSTEM) =>
  (await kube.get(POLICIES, { name, namespace }))?.status ?? {};
const condition = async (type: string, name: string, namespace?: string) => {
  const found = (await status(name, namespace)).conditions?.find((one) => one.type === type);
  return found && [found.status, found.reason];
};
const namespace = (name: string, labels: Record<string, string>) => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name, labels },
});

test('A policy counts the instances that name it, also by naming none', async () => {
  expect(await condition('Bound', 'default')).toEqual(['False', 'NoInstances']);
  await put(instance({}, 'one'), instance({ policy: 'default' }, 'two'), instance({ policy: 'permissive' }, 'three'));
  expect(await status('default')).toMatchObject({ boundInstances: 2 });
  expect(await condition('Bound', 'default')).toEqual(['True', 'InUse']);
  expect(await condition('Ready', 'default')).toEqual(['True', 'Accepted']);
});

test('A policy loses an instance to a policy of the same name beside it', async () => {
  await put(instance({}, 'one'));
  expect(await status('default')).toMatchObject({ boundInstances: 1 });
  await put(policy('default', {}, 'team'));
  expect(await status('default')).toMatchObject({ boundInstances: 0 });
  expect(await status('default', 'team')).toMatchObject({ boundInstances: 1 });
});

test('A floor counts every instance in its namespaces, and hears of their labels', async () => {
  const enforce = { namespaceSelector: { matchLabels: { tier: 'production' } } };
  await put(namespace('team', {}), instance({}, 'one'), instance({}, 'two'), policy('base', { enforce }));
  expect(await status('base')).toMatchObject({ boundInstances: 0 });
  await put(namespace('team', { tier: 'production' }));
  expect(await status('base')).toMatchObject({ boundInstances: 2 });
});

test('A policy is not ready while its RuntimeClass is missing', async () => {
  await put(policy('boxed', { sandbox: { enabled: true, runtimeClass: 'gvisor' } }));
  expect(await condition('Ready', 'boxed')).toEqual(['False', 'RuntimeClassNotFound']);
  await put({ apiVersion: 'node.k8s.io/v1', kind: 'RuntimeClass', metadata: { name: 'gvisor' } });
  expect(await condition('Ready', 'boxed')).toEqual(['True', 'Accepted']);
});

test('A policy that nothing changes for is written once', async () => {
  await put(instance({}, 'one'));
  const writes = kube.writes.length;
  await put(namespace('elsewhere', {}), instance({ systemPrompt: 'other' }, 'one'));
  expect(kube.writes.slice(writes).filter((write) => write.includes('SympoziumPolicy'))).toEqual([]);
});
