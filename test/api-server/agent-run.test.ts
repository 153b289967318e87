import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { KubeClient } from '../../operator/kube/client.ts';
import type { KubeApi, KubeObject } from '../../operator/kube/port.ts';
import {
  AGENT_RUNS,
  EVENTS,
  INSTANCES,
  JOBS,
  NETWORK_POLICIES,
  PODS,
  POLICIES,
  SERVICE_ACCOUNTS,
  type Job,
  type Pod,
} from '../../operator/kube/resources.ts';
import { createLog, SILENT } from '../../operator/log.ts';
import { systemClock as clock } from '../../operator/main/process.ts';
import { ApiServer } from '../support/api-server.ts';
import { FakeBus, refOf, startControlPlane, type ControlPlane } from '../support/control-plane.ts';
import { eventually } from '../support/eventually.ts';
import { must } from '../support/must.ts';
import { agentRun, instance, succeeded } from '../support/objects.ts';

/** `CONTROLLER_LOG=1` shows what the controller logs. */
const LOG = process.env.CONTROLLER_LOG === undefined ? SILENT : createLog('controller', 'debug');

let server: ApiServer;
let kube: KubeClient;
let plane: ControlPlane | undefined;
const bus = new FakeBus();
let controller: KubeClient;

beforeAll(async () => {
  server = await ApiServer.start();
  kube = server.client();
  controller = server.client('sympozium-controller');
  await server.namespace('sympozium-system');
  await server.namespace('team');
  await startOn(controller);
  await eventually(() => kube.get(POLICIES, { namespace: 'sympozium-system', name: 'default' }), 20_000);
  await kube.create(INSTANCES, instance());
  await eventually(async () => (await kube.list(NETWORK_POLICIES, { namespace: 'team' })).items.length === 2);
  await plane?.stop();
}, 120_000);
afterEach(async () => {
  await plane?.stop();
  plane = undefined;
});
afterAll(async () => {
  kube.close();
  controller.close();
  await server.remove();
});

async function startOn(client: KubeApi): Promise<void> {
  plane = await startControlPlane({ kube: client, bus, clock, log: LOG });
}

const child = (name: string) => ({ namespace: 'team', name: `run-${name}` });
const get = async (name: string) => must(await kube.get(AGENT_RUNS, { namespace: 'team', name }));
const phase = (name: string, wanted: string) =>
  eventually(async () => { const run = await get(name); return run.status?.phase === wanted && run; }); // prettier-ignore
const gone = (name: string) =>
  eventually(async () =>
    [await kube.get(JOBS, child(name)), await kube.get(SERVICE_ACCOUNTS, child(name))].every(
      (object) => object === undefined,
    ),
  );

/** The Pod that the Job controller and the kubelet would make. */
async function runPod(name: string, { metadata: { uid = '' }, spec }: Job): Promise<void> {
  const template = (spec as { template: { metadata: Pod['metadata']; spec: object } }).template;
  const metadata = {
    name: `run-${name}-abcde`,
    namespace: 'team',
    labels: template.metadata.labels ?? {},
    ownerReferences: [{ apiVersion: 'batch/v1', kind: 'Job', name: `run-${name}`, uid, controller: true }],
  };
  if ((await kube.get(PODS, metadata)) === undefined) {
    await kube.create(PODS, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata,
      spec: { ...template.spec, nodeName: 'node-1' },
    });
  }
  const running = { running: { startedAt: '2026-01-01T00:00:00Z' } };
  const container = (of: string) => ({
    name: of,
    state: running,
    image: 'i',
    imageID: 'i',
    ready: true,
    restartCount: 0,
  });
  await kube.applyStatus(PODS, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: metadata.name, namespace: 'team' },
    status: { phase: 'Running', containerStatuses: [container('agent'), container('bridge')] },
  });
}

describe('On a real API server', () => {
  test('a run goes from nothing to its answer, and leaves only its record', async () => {
    await startOn(controller);
    const run = await kube.create(AGENT_RUNS, agentRun('hello'));
    await runPod('hello', await eventually(() => kube.get(JOBS, child('hello'))));
    await phase('hello', 'Running');
    expect(await bus.publish(refOf(run), succeeded(run.metadata.uid ?? ''))).toBe('done');
    const { status } = await get('hello');
    expect(status).toMatchObject({
      phase: 'Succeeded',
      output: 'pong',
      podName: 'run-hello-abcde',
      jobName: 'run-hello',
      effectivePolicy: { name: 'default' },
      usage: { inputTokens: 5 },
    });
    expect(status?.conditions).toMatchObject([{ type: 'Ready', status: 'True', observedGeneration: 1 }]);
    await gone('hello');
    const events = (
      await kube.list(EVENTS, { namespace: 'team', fields: `involvedObject.uid=${run.metadata.uid ?? ''}` })
    ).items;
    expect(events.map(({ reason }) => reason).sort()).toEqual(['Started', 'Succeeded']);
  });

  test('a run that is deleted and made again under its name is another run', async () => {
    await startOn(controller);
    const first = await kube.create(AGENT_RUNS, agentRun('again'));
    await eventually(() => kube.get(JOBS, child('again')));
    await kube.delete(AGENT_RUNS, { namespace: 'team', name: 'again' });
    const second = await kube.create(AGENT_RUNS, agentRun('again'));
    await bus.publish(refOf(first), succeeded(first.metadata.uid ?? '', 'of the first'));
    // No garbage collector runs here: what it would do, by hand.
    await kube.delete(JOBS, child('again'));
    await kube.delete(SERVICE_ACCOUNTS, child('again'));
    await eventually(
      async () => (await kube.get(JOBS, child('again')))?.metadata.ownerReferences?.[0]?.uid === second.metadata.uid,
    );
    expect((await get('again')).status).toEqual({ phase: 'Pending', observedGeneration: -1 });
  });

  test('a cancelled run ends', async () => {
    await startOn(controller);
    const run = await kube.create(AGENT_RUNS, agentRun('stop'));
    await eventually(() => kube.get(JOBS, child('stop')));
    const { status: _, ...rest } = await get('stop');
    await kube.replace(AGENT_RUNS, { ...rest, spec: { ...run.spec, cancelled: true } });
    await phase('stop', 'Cancelled');
    await gone('stop');
  });
});

const WRITES = new Set(['create', 'replace', 'apply', 'applyStatus', 'delete']);
/** Kinds whose writes don't belong to one run. */
const NOT_COUNTED = new Set(['NetworkPolicy', 'SympoziumInstance', 'SympoziumPolicy']);

/** A client whose process dies at its n-th write: before the write arrives, or before its answer does. */
function mortal(client: KubeClient, count: number, when: 'before' | 'after') {
  const state = { left: count, dead: false };
  const die = () => {
    state.dead = true;
    throw new Error('this process is dead');
  };
  const write = async (verb: (this: KubeClient, ...args: unknown[]) => Promise<unknown>, args: readonly unknown[]) => {
    const [, { kind = '' }] = args as [unknown, Partial<KubeObject>];
    if (!NOT_COUNTED.has(kind)) state.left -= 1;
    if (state.dead || (state.left === 0 && when === 'before')) die();
    if (state.left === 0) state.dead = true; // whatever else is under way arrives nowhere
    const answer = await verb.apply(client, [...args]);
    return state.dead ? die() : answer;
  };
  const kube = new Proxy(client, {
    get(target, name: string) {
      const verb = Reflect.get(target, name) as (this: KubeClient, ...args: unknown[]) => Promise<unknown>;
      return WRITES.has(name) ? (...args: unknown[]) => write(verb, args) : verb.bind(target);
    },
  });
  return { kube, state };
}

describe('A controller that is killed', () => {
  const moments = [1, 2, 3, 4, 5, 6, 7, 8].flatMap((count) => [[count, 'before'] as const, [count, 'after'] as const]);

  test.each(moments)(
    'at write %i, %s the cluster has it, leaves everything to the next one',
    async (count, when) => {
      const name = `kill-${count}-${when}`;
      const { kube: dying, state } = mortal(controller, count, when);
      await startOn(dying);
      const run = await kube.create(AGENT_RUNS, agentRun(name));
      const said = async () =>
        (
          await kube.list(EVENTS, { namespace: 'team', fields: `involvedObject.uid=${run.metadata.uid ?? ''}` })
        ).items.map(({ reason }) => reason);
      let published = false;
      /** What happens around the controller: the Pod runs, and once `due` its bridge publishes the result. */
      const goOn = async (due: () => boolean | Promise<boolean>) => {
        const job = await kube.get(JOBS, child(name));
        if (job !== undefined) await runPod(name, job);
        if (published || (await get(name)).status?.phase !== 'Running' || !(await due())) return;
        published = true;
        await bus.publish(refOf(run), succeeded(run.metadata.uid ?? ''));
      };
      await eventually(async () => {
        await goOn(async () => (await said()).includes('Started'));
        return state.dead;
      });
      await plane?.stop();

      await startOn(controller);
      await eventually(async () => {
        await goOn(() => true);
        return (await get(name)).status?.phase === 'Succeeded';
      });
      expect((await get(name)).status).toMatchObject({ output: 'pong', jobName: `run-${name}` });
      await gone(name);
      await eventually(() => bus.results.length === 0);
      expect((await said()).filter((reason) => reason === 'Succeeded')).toHaveLength(1);
    },
    30_000,
  );
});
