import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Elector } from '../../operator/kube/lease.ts';
import { LEASES } from '../../operator/kube/resources.ts';
import { systemClock as clock } from '../../operator/main/process.ts';
import { ApiServer } from '../support/api-server.ts';
import { eventually } from '../support/eventually.ts';

let server: ApiServer;

beforeAll(async () => {
  server = await ApiServer.start();
  await server.namespace('system');
}, 90_000);
afterAll(async () => {
  await server.remove();
});

test('Of two replicas one leads, and the other goes on within seconds of its end', async () => {
  const kube = server.client();
  const replica = (identity: string) => {
    const stop = new AbortController();
    const options = { kube, clock, namespace: 'system', name: 'lock', identity, onError: () => undefined };
    const elector = new Elector(options);
    const state = { leads: false };
    const ended = elector.acquire(stop.signal).then(async (leads) => {
      state.leads = leads;
      if (leads) await elector.hold(stop.signal, Promise.resolve());
    });
    return { state, stop: () => { stop.abort(); return ended; } }; // prettier-ignore
  };
  const replicas = [replica('a'), replica('b')];
  await eventually(() => replicas.some(({ state }) => state.leads));
  const [leader, other] = replicas[0]?.state.leads === true ? replicas : replicas.reverse();
  expect(other?.state.leads).toBe(false);
  await leader?.stop();
  await eventually(() => other?.state.leads, 5_000);
  const lease = await kube.get(LEASES, { namespace: 'system', name: 'lock' });
  expect(lease?.spec).toMatchObject({ leaseDurationSeconds: 15, leaseTransitions: 1 });
  await other?.stop();
  kube.close();
}, 20_000);
