import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import OpenAI from 'openai';
import { findCondition } from '../../lib/api/conditions.ts';
import type { AgentRun } from '../../lib/api/v1alpha1/agent-run.ts';
import { synthesise } from '../../lib/distribution.ts';
import { reflectRuns } from '../../operator/endpoint/copies.ts';
import { Runs } from '../../operator/endpoint/runs.ts';
import { createEndpoint } from '../../operator/endpoint/server.ts';
import type { KubeClient } from '../../operator/kube/client.ts';
import type { KubeObject, Resource } from '../../operator/kube/port.ts';
import {
  AGENT_RUNS, DEPLOYMENTS, INSTANCES, NETWORK_POLICIES, PODS, ROLE_BINDINGS, ROLES, SECRETS, SERVICE_ACCOUNTS, SERVICES,
} from '../../operator/kube/resources.ts'; // prettier-ignore
import { SILENT } from '../../operator/log.ts';
import { systemClock as clock } from '../../operator/main/process.ts';
import { ApiServer } from '../support/api-server.ts';
import { FakeBus, startControlPlane, type ControlPlane } from '../support/control-plane.ts';
import { eventually } from '../support/eventually.ts';
import { must } from '../support/must.ts';
import { agentRun, instance, policy } from '../support/objects.ts';

const SYSTEM = 'sympozium-system';
const NAME = { namespace: 'team', name: 'web-helper' };
const KINDS: readonly Resource<KubeObject>[] = [SERVICE_ACCOUNTS, ROLES, ROLE_BINDINGS, NETWORK_POLICIES, SERVICES, DEPLOYMENTS]; // prettier-ignore
const SERVED = { skills: ['web-endpoint'], skillConfig: { 'web-endpoint': { secretRef: 'web-key' } } };

let server: ApiServer;
let admin: KubeClient;
let controller: KubeClient;
let plane: ControlPlane;

beforeAll(async () => {
  server = await ApiServer.start();
  admin = server.client();
  for (const namespace of [SYSTEM, 'team', 'other']) await server.namespace(namespace);
  const manifests = synthesise().flatMap((file) => file.manifests as readonly KubeObject[]);
  for (const manifest of manifests.filter(({ kind }) => /^(ServiceAccount|(Cluster)?Role(Binding)?)$/.test(kind))) {
    const { apiVersion, kind } = manifest;
    await admin.create({ apiVersion, kind, plural: `${kind.toLowerCase()}s` }, manifest);
  }
  // The controller with the rights that the manifests give it, and no others.
  controller = server.client('sympozium-controller', await server.token(SYSTEM, 'sympozium-controller'));
  plane = await startControlPlane({ kube: controller, bus: new FakeBus(), clock });
  await admin.create(INSTANCES, instance({ ...SERVED, policy: 'permissive' }));
}, 120_000);
afterAll(async () => {
  await plane.stop();
  for (const client of [admin, controller]) client.close();
  await server.remove();
});

const found = () => Promise.all(KINDS.map((resource) => admin.get(resource, NAME)));
const all = () => eventually(async () => (await found()).every((object) => object !== undefined), 20_000);
const condition = async () =>
  findCondition(
    (await admin.get(INSTANCES, { namespace: 'team', name: 'helper' }))?.status?.conditions,
    'EndpointReady',
  );

describe('The controller', () => {
  test('makes an endpoint, and leaves it alone when it is as it should be', async () => {
    await all();
    const before = (await found()).map((object) => object?.metadata.resourceVersion);
    // A change of the status has the instance looked at again.
    await admin.applyStatus(DEPLOYMENTS, { ...must(await admin.get(DEPLOYMENTS, NAME)), metadata: NAME, status: { availableReplicas: 1, readyReplicas: 1, replicas: 1 } } as never); // prettier-ignore
    await eventually(async () => (await condition())?.reason === 'Serving');
    const after = (await found()).map((object) => object?.metadata.resourceVersion);
    expect(after.slice(0, -1)).toEqual(before.slice(0, -1)); // the last is the Deployment, whose status changed
    expect((await admin.get(DEPLOYMENTS, NAME))?.metadata.generation).toBe(1);
  }, 30_000);

  test('puts right what somebody changed', async () => {
    const role = must(await admin.get(ROLES, NAME));
    await admin.replace(ROLES, { ...role, rules: [] });
    await eventually(async () => (await admin.get(ROLES, NAME))?.rules?.length === 1);
  }, 30_000);
});

describe('The ServiceAccount of an endpoint', () => {
  let kube: KubeClient;
  let http: Server;
  let client: OpenAI;
  const end = new AbortController();

  beforeAll(async () => {
    await all();
    kube = server.client('sympozium-endpoint', await server.token('team', 'web-helper'));
    const copies = reflectRuns('team', 'helper', { kube, clock, random: () => 0, log: SILENT });
    void copies.run(end.signal);
    await copies.whenSynced();
    const scope = { namespace: 'team', instance: 'helper' };
    http = createEndpoint({
      ...scope,
      runs: new Runs({ ...scope, kube, copies }),
      events: { listen: () => Promise.resolve(() => undefined) },
      key: { check: () => Promise.resolve() },
      limit: { take: () => undefined },
      ready: () => Promise.resolve(undefined),
      clock,
      log: SILENT,
    }).listen(0, '127.0.0.1');
    await once(http, 'listening');
    const baseURL = `http://127.0.0.1:${(http.address() as AddressInfo).port}/v1`;
    client = new OpenAI({ baseURL, apiKey: 'any', maxRetries: 0 });
  }, 60_000);
  afterAll(() => {
    end.abort();
    http.closeAllConnections();
    http.close();
    kube.close();
  });

  const runOf = (input: string): Promise<AgentRun> =>
    eventually(async () => (await admin.list(AGENT_RUNS, { namespace: 'team' })).items.find((run) => run.spec.input === input)); // prettier-ignore
  const ask = (content: string, options?: OpenAI.RequestOptions) =>
    client.chat.completions.create(
      {
        model: 'helper',
        messages: [
          { role: 'assistant', content: 'Hello' },
          { role: 'user', content },
        ],
      },
      options,
    );

  test('has what it takes to answer', async () => {
    const answer = ask('which pods?');
    const { apiVersion, kind, metadata, spec } = await runOf('which pods?');
    expect(spec.history).toEqual([{ role: 'assistant', content: 'Hello' }]);
    const { name, namespace } = metadata;
    const status = { phase: 'Succeeded', output: 'two' } as const;
    await admin.applyStatus(AGENT_RUNS, { apiVersion, kind, metadata: { name, namespace }, status });
    expect((await answer).choices[0]?.message.content).toBe('two');
  });

  test('has what it takes to cancel', async () => {
    const left = new AbortController();
    const answer = ask('too slow', { signal: left.signal }).catch(() => undefined);
    const run = await runOf('too slow');
    left.abort();
    await answer;
    const cancelled = await eventually(async () => {
      const now = must(await admin.get(AGENT_RUNS, run.metadata));
      return now.spec.cancelled === true && now;
    });
    expect(cancelled.spec).toEqual({ ...run.spec, cancelled: true });
    expect(cancelled.metadata.uid).toBe(run.metadata.uid);
  });

  test.each<[string, () => Promise<unknown>]>([
    ['read Secrets', () => kube.get(SECRETS, { namespace: 'team', name: 'provider-key' })],
    ['list Pods', () => kube.list(PODS, { namespace: 'team' })],
    ['read instances', () => kube.get(INSTANCES, { namespace: 'team', name: 'helper' })],
    ['delete runs', () => kube.delete(AGENT_RUNS, { namespace: 'team', name: 'any' })],
    ['write the status of runs', () => kube.applyStatus(AGENT_RUNS, { ...agentRun('any'), status: { phase: 'Succeeded' } })],
    ['see runs of another namespace', () => kube.list(AGENT_RUNS, { namespace: 'other' })],
    ['make runs in another namespace', () => kube.create(AGENT_RUNS, { ...agentRun('x'), metadata: { name: 'x', namespace: 'other' } })],
    ['change its own Role', () => kube.apply(ROLES, { apiVersion: ROLES.apiVersion, kind: 'Role', metadata: NAME, rules: [] })],
  ])("can't %s", async (_, action) => {
    await expect(action()).rejects.toMatchObject({ code: 'Forbidden' });
  }); // prettier-ignore
});

test('An instance that is not served any more, or may not be, loses its endpoint', async () => {
  const helper = { namespace: 'team', name: 'helper' };
  await all();
  await admin.create({ apiVersion: 'sympozium.ai/v1alpha1', kind: 'SympoziumPolicy', plural: 'sympoziumpolicies' }, policy('no-web', { skills: { allowed: ['k8s-ops'] } }, 'team')); // prettier-ignore
  const change = async (spec: object) => {
    const { status: _, ...now } = must(await admin.get(INSTANCES, helper));
    await admin.replace(INSTANCES, { ...now, spec: { ...now.spec, ...spec } });
  };
  await change({ policy: 'no-web' });
  await eventually(async () => (await found()).every((object) => object === undefined), 20_000);
  await eventually(async () => (await condition())?.reason === 'SkillNotAllowed');
  await change({ policy: 'permissive' });
  await all();
  await change({ skills: [] });
  await eventually(async () => (await found()).every((object) => object === undefined), 20_000);
  await eventually(async () => (await condition()) === undefined);
}, 60_000);
