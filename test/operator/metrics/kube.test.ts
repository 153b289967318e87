import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from '@jest/globals';
import { KubeClient } from '../../../operator/kube/client.ts';
import { requestLabels } from '../../../operator/kube/request-labels.ts';
import { AGENT_RUNS, JOBS, PODS } from '../../../operator/kube/resources.ts';
import { agentRun } from '../../support/objects.ts';
import { measure } from './scrape.ts';

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

/** A client of a server that always answers with this status; 0: it hangs up. */
async function client(status: number, body: object = {}): Promise<KubeClient> {
  server = createServer((request, response) => {
    if (status === 0) request.socket.destroy();
    else response.writeHead(status).end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const connection = { server: new URL(`http://127.0.0.1:${port}`), tls: {}, headers: () => Promise.resolve({}) };
  return new KubeClient(connection, { fieldManager: 'me', sleep: () => Promise.resolve() });
}

const name = { namespace: 'team', name: 'a-name' };
const count = 'sympozium_kube_request_duration_seconds_count';

test('requests are counted by what they do to which kind, and how they were answered', async () => {
  const scrape = measure('controller');
  const kube = await client(200, { items: [], metadata: { resourceVersion: '1' } });
  await kube.get(JOBS, name);
  await kube.list(PODS, { namespace: 'team' });
  await kube.list(PODS);
  await kube.create(AGENT_RUNS, agentRun('a-name'));
  await kube.applyStatus(AGENT_RUNS, { ...agentRun('a-name'), status: { phase: 'Running' } });
  await kube.delete(JOBS, name);
  for await (const _ of kube.watch(PODS, { resourceVersion: '1' }, new AbortController().signal)) break;
  kube.close();
  const { text, value } = await scrape();
  const of = (verb: string, resource: string) => value(count, { verb, resource, code: '200' });
  expect([of('get', 'jobs'), of('list', 'pods'), of('create', 'agentruns')]).toEqual([1, 2, 1]);
  expect([of('patch', 'agentruns/status'), of('delete', 'jobs'), of('watch', 'pods')]).toEqual([1, 1, 1]);
  expect(text).not.toMatch(/a-name|team/);
});

test('every attempt counts, with its own answer', async () => {
  const scrape = measure('controller');
  const busy = await client(429);
  await expect(busy.get(JOBS, name)).rejects.toThrow();
  busy.close();
  server?.close();
  const gone = await client(0);
  await expect(gone.get(JOBS, name)).rejects.toThrow();
  gone.close();
  const { value } = await scrape();
  expect([value(count, { code: '429' }), value(count, { code: 'none' })]).toEqual([4, 4]);
});

test.each([
  ['GET', '/api/v1/namespaces', 'list', 'namespaces'],
  ['GET', '/api/v1/namespaces/team', 'get', 'namespaces'],
  ['GET', '/api/v1/namespaces/team/pods/x', 'get', 'pods'],
  ['GET', '/apis/node.k8s.io/v1/runtimeclasses/gvisor', 'get', 'runtimeclasses'],
  ['PUT', '/apis/coordination.k8s.io/v1/namespaces/team/leases/x', 'update', 'leases'],
  ['POST', '/apis/authentication.k8s.io/v1/tokenreviews', 'create', 'tokenreviews'],
] as const)('%s %s', (method, path, verb, resource) => {
  expect(requestLabels({ method, path })).toEqual({ verb, resource });
});
