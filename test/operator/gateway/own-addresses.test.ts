import { expect, test } from '@jest/globals';
import type { KubeObject, Resource } from '../../../operator/kube/port.ts';
import { ownAddresses } from '../../../operator/gateway/own-addresses.ts';

const object = (kind: string, name: string, rest: object) => ({ apiVersion: 'v1', kind, metadata: { name }, ...rest });

function cluster() {
  const asked: string[] = [];
  const lists: Record<string, KubeObject[]> = {
    pods: [
      object('Pod', 'sympozium-nats-0', { status: { podIPs: [{ ip: '10.0.0.7' }, { ip: 'fd00::7' }] } }),
      object('Pod', 'sympozium-webhook-0', { status: {} }),
    ],
    services: [
      object('Service', 'sympozium-gateway', { spec: { clusterIPs: ['10.96.0.8'], externalIPs: ['198.51.100.9'] } }),
      object('Service', 'sympozium-nats-headless', { spec: { clusterIPs: ['None'] } }),
      object('Service', 'exposed', { status: { loadBalancer: { ingress: [{ ip: '93.184.216.34' }, {}] } } }),
    ],
  };
  const slice = object('EndpointSlice', 'kubernetes', { endpoints: [{ addresses: ['192.168.1.10'] }, {}] });
  const state: { outage?: Error } = {};
  const answer = <T>(what: string, value: T): Promise<T> => {
    asked.push(what);
    return state.outage === undefined ? Promise.resolve(value) : Promise.reject(state.outage);
  };
  const kube = {
    list: <T extends KubeObject>({ plural }: Resource<T>, { namespace = '' } = {}) =>
      answer(`${namespace}/${plural}`, { items: lists[plural] as unknown as T[], resourceVersion: '1' }),
    get: <T extends KubeObject>({ plural }: Resource<T>, name: { namespace?: string | undefined; name: string }) =>
      answer(`${name.namespace ?? ''}/${plural}/${name.name}`, slice as unknown as T),
  };
  return { kube, asked, state, lists };
}

const at = (fake: ReturnType<typeof cluster>, now = () => 0) =>
  ownAddresses({ kube: fake.kube, namespace: 'system', apiServer: ['10.96.0.1', 'localhost'], now });

test('T8 knows the API server, the bus, the gateway, and whatever else runs beside them', async () => {
  const ownAt = at(cluster());
  expect(await ownAt('10.96.0.1')).toBe('the API server');
  expect(await ownAt('192.168.1.10')).toBe('the API server');
  expect(await ownAt('10.0.0.7')).toBe("Pod 'sympozium-nats-0' of the control plane");
  expect(await ownAt('FD00:0::7')).toBe("Pod 'sympozium-nats-0' of the control plane");
  expect(await ownAt('10.96.0.8')).toBe("Service 'sympozium-gateway' of the control plane");
  expect(await ownAt('198.51.100.9')).toBe("Service 'sympozium-gateway' of the control plane");
  expect(await ownAt('93.184.216.34')).toBe("Service 'exposed' of the control plane");
  expect(await ownAt('10.1.2.3')).toBeUndefined();
});

test('asks once in ten seconds, and only for what it needs', async () => {
  const fake = cluster();
  let now = 0;
  const ownAt = at(fake, () => now);
  await Promise.all([ownAt('10.0.0.7'), ownAt('10.0.0.8')]);
  expect(fake.asked).toEqual(['system/pods', 'system/services', 'default/endpointslices/kubernetes']);
  fake.lists.pods = [object('Pod', 'new', { status: { podIPs: [{ ip: '10.0.0.9' }] } })];
  now = 9_999;
  expect(await ownAt('10.0.0.9')).toBeUndefined();
  now = 10_000;
  expect(await ownAt('10.0.0.9')).toBe("Pod 'new' of the control plane");
});

test('rejects when Kubernetes can not be asked, and asks again the next time', async () => {
  const fake = cluster();
  fake.state.outage = new Error('connect ECONNREFUSED');
  const ownAt = at(fake);
  await expect(ownAt('8.8.8.8')).rejects.toThrow(
    "the gateway could not read the control plane's addresses: connect ECONNREFUSED",
  );
  delete fake.state.outage;
  expect(await ownAt('8.8.8.8')).toBeUndefined();
});
