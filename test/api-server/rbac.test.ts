import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { parseAllDocuments } from 'yaml';
import { ensureBusSecret } from '../../operator/controllers/bus-secret.ts';
import { Elector } from '../../operator/kube/lease.ts';
import type { KubeClient } from '../../operator/kube/client.ts';
import type { KubeObject } from '../../operator/kube/port.ts';
import {
  AGENT_RUNS,
  INSTANCES,
  JOBS,
  MUTATING_WEBHOOKS,
  NETWORK_POLICIES,
  POLICIES,
  SECRETS,
  TOKEN_REVIEWS,
  VALIDATING_WEBHOOKS,
} from '../../operator/kube/resources.ts';
import { SILENT, type LogFields } from '../../operator/log.ts';
import { systemClock as clock } from '../../operator/main/process.ts';
import { runWebhook } from '../../operator/webhook/run.ts';
import { ApiServer } from '../support/api-server.ts';
import { freePort } from '../support/free-port.ts';
import { FakeBus, refOf, startControlPlane } from '../support/control-plane.ts';
import { eventually } from '../support/eventually.ts';
import { must } from '../support/must.ts';
import { agentRun, instance, succeeded } from '../support/objects.ts';
import { PLURALS } from '../support/plurals.ts';

const SYSTEM = 'sympozium-system';

let server: ApiServer;
let admin: KubeClient;
const clients: KubeClient[] = [];
/** What was refused, in the server's words. */
const refused: string[] = [];
const note = (_: string, fields?: LogFields) => {
  const { error, why } = fields ?? {};
  const text = error instanceof Error ? error.message : typeof why === 'string' ? why : '';
  if (text.includes('forbidden')) refused.push(text);
};
const log = { ...SILENT, warn: note, error: note };

/** The client of a part of the control plane, with the rights that the manifests give it. */
async function as(account: string): Promise<KubeClient> {
  const client = server.client(account, await server.token(SYSTEM, account));
  clients.push(client);
  return client;
}

beforeAll(async () => {
  server = await ApiServer.start();
  admin = server.client();
  await server.namespace('team');
  for (const file of ['0001-namespace', '0002-rbac', '0005-webhook']) {
    for (const document of parseAllDocuments(readFileSync(`dist/${file}.yaml`, 'utf8'))) {
      const object = document.toJS() as KubeObject;
      const plural = PLURALS[object.kind];
      if (plural !== undefined)
        await admin.create({ apiVersion: object.apiVersion, kind: object.kind, plural }, object);
    }
  }
}, 90_000);
afterAll(async () => {
  for (const client of [admin, ...clients]) client.close();
  await server.remove();
});

test('The webhook needs no more than the manifests allow it', async () => {
  const stop = new AbortController();
  const [{ metadata }] = (await admin.list(MUTATING_WEBHOOKS)).items as [KubeObject];
  const webhook = runWebhook(
    {
      kube: await as('sympozium-webhook'),
      clock,
      random: () => 0,
      log,
      namespace: SYSTEM,
      hosts: ['localhost'],
      certificate: { configuration: metadata.name },
      port: await freePort(),
      drainMs: 0,
    },
    stop.signal,
  );
  await eventually(() => webhook.problem === undefined || refused.length > 0, 20_000);
  stop.abort();
  await webhook.ended;
  expect(refused).toEqual([]);
  // Nobody answers it from here on, and everything is refused while it is asked.
  for (const resource of [MUTATING_WEBHOOKS, VALIDATING_WEBHOOKS])
    await admin.delete(resource, { name: metadata.name });
}, 30_000);

test('The controller needs no more than the manifests allow it', async () => {
  const kube = await as('sympozium-controller');
  const elector = new Elector({ kube, clock, namespace: SYSTEM, name: 'sympozium-controller', identity: 'a', onError: (error) => { note('', { error }); } }); // prettier-ignore
  const over = new AbortController();
  expect(await elector.acquire(over.signal)).toBe(true);
  const { 'keys.conf': keys } = await ensureBusSecret(kube, SYSTEM);
  const made = must(await admin.get(SECRETS, { namespace: SYSTEM, name: 'sympozium-bus' }));
  const { 'keys.conf': _, ...old } = must(made.data);
  await admin.replace(SECRETS, { ...made, data: old }); // as an earlier release left it
  expect(await ensureBusSecret(kube, SYSTEM)).toMatchObject({ 'keys.conf': keys });
  const bus = new FakeBus();
  const plane = await startControlPlane({ kube, bus, clock, log });
  await eventually(async () => (await admin.list(POLICIES)).items.length === 3 || refused.length > 0, 20_000);
  await admin.create(INSTANCES, instance());
  const run = await admin.create(AGENT_RUNS, agentRun('x', { ttlAfterFinished: '1s' }));
  await eventually(
    async () => refused.length > 0 || (await admin.get(JOBS, { namespace: 'team', name: 'run-x' })) !== undefined,
  );
  await bus.publish(refOf(run), succeeded(run.metadata.uid ?? ''));
  const review = {
    apiVersion: TOKEN_REVIEWS.apiVersion,
    kind: TOKEN_REVIEWS.kind,
    metadata: { name: '' },
    spec: { token: 'x', audiences: ['y'] },
  };
  expect((await kube.create(TOKEN_REVIEWS, review)).status?.authenticated).not.toBe(true);
  await eventually(async () => refused.length > 0 || (await admin.get(AGENT_RUNS, refOf(run))) === undefined, 25_000);
  await plane.stop();
  over.abort();
  await elector.hold(over.signal, Promise.resolve());
  expect(refused).toEqual([]);
  expect((await admin.list(NETWORK_POLICIES, { namespace: 'team' })).items).toHaveLength(2);
}, 60_000);
