import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { AgentRun } from '../../../../lib/api/v1alpha1/agent-run.ts';
import type { CheckInstance } from '../../../../operator/controllers/gateway-client.ts';
import { KubeError } from '../../../../operator/kube/errors.ts';
import {
  AGENT_RUNS,
  EVENTS,
  JOBS,
  SERVICE_ACCOUNTS,
  type KubeEvent,
  type Pod,
} from '../../../../operator/kube/resources.ts';
import { FakeBus, refOf, startControlPlane, type ControlPlane } from '../../../support/control-plane.ts';
import { FakeClock, settle } from '../../../support/fake-clock.ts';
import { FakeKube } from '../../../support/fake-kube.ts';
import { agentRun, instance, pod, policy, succeeded } from '../../../support/objects.ts';

const NETWORK = ['apply NetworkPolicy team/sympozium-run-deny-all', 'apply NetworkPolicy team/sympozium-run-allow'];

let kube: FakeKube;
let bus: FakeBus;
let clock: FakeClock;
let plane: ControlPlane | undefined;
let check: CheckInstance;

beforeEach(() => {
  clock = new FakeClock();
  bus = new FakeBus();
  check = () => Promise.resolve({ ready: true });
  kube = new FakeKube(policy('default'), policy('permissive'), policy('restrictive'));
  kube.put(instance());
});
afterEach(async () => {
  await plane?.stop();
  plane = undefined;
});

const start = async () => {
  plane = await startControlPlane({ kube, bus, clock, check: (...args) => check(...args) });
  await settle();
};
/** Lets the namespace of the tests be known already, so that only what a run costs is counted. */
const startKnown = async () => {
  await start();
  await settle();
  kube.writes.length = 0;
};
const create = async (run: AgentRun = agentRun('x')): Promise<AgentRun> => {
  const created = kube.put(run);
  await settle();
  return created;
};
const get = async (name = 'x') => (await kube.get(AGENT_RUNS, { namespace: 'team', name })) as AgentRun;
const job = (name = 'run-x') => kube.get(JOBS, { namespace: 'team', name });
const children = async () => [await job(), await kube.get(SERVICE_ACCOUNTS, { namespace: 'team', name: 'run-x' })];
const events = async () =>
  (await kube.list(EVENTS)).items
    .filter(({ involvedObject }) => involvedObject.kind === 'AgentRun')
    .map(({ type, reason }) => `${type} ${reason}`);
const putPod = async (states: Parameters<typeof pod>[0], rest: Parameters<typeof pod>[1] = {}): Promise<Pod> => {
  const owner = await job();
  const put = kube.put(
    pod(states, {
      ...rest,
      metadata: {
        labels: { 'sympozium.ai/component': 'run', 'sympozium.ai/run': 'x' },
        ownerReferences: [{ apiVersion: 'batch/v1', kind: 'Job', name: 'run-x', uid: owner?.metadata.uid ?? '' }],
        ...rest.metadata,
      },
    }),
  );
  await settle();
  return put;
};
const RUNNING = { agent: { running: {} }, bridge: { running: {} } };

describe('A run that succeeds', () => {
  test('costs eight writes, in this order', async () => {
    await startKnown();
    const run = await create();
    await putPod(RUNNING);
    await bus.publish(refOf(run), succeeded(run.metadata.uid ?? ''));
    await settle();
    await clock.advance(120_000);
    expect(kube.writes).toEqual([
      'create ServiceAccount team/run-x',
      'create Job team/run-x',
      'status AgentRun team/x',
      expect.stringMatching(/^create Event team\/x\./),
      'status AgentRun team/x',
      expect.stringMatching(/^create Event team\/x\./),
      'delete Job team/run-x',
      'delete ServiceAccount team/run-x',
    ]);
    expect(await events()).toEqual(['Normal Started', 'Normal Succeeded']);
    expect(await get()).toHaveProperty(
      'status',
      expect.objectContaining({ phase: 'Succeeded', output: 'pong', podName: 'run-x-abcde' }),
    );
    expect(bus.results).toEqual([]);
  });

  test('is told what to do before its Job exists', async () => {
    await start();
    bus.down = new Error('no connection');
    const run = await create(agentRun('x', { toolPolicy: { deny: ['write_file'] } }));
    expect(await job()).toBeUndefined();
    bus.down = undefined;
    await clock.advance(2_000);
    expect(await job()).toBeDefined();
    expect(bus.tasks.get('team/x')).toMatchObject({
      uid: run.metadata.uid,
      task: { input: 'hello', model: 'gpt' },
      limits: { modelCalls: 50 },
      policy: {
        name: 'default',
        layers: [{ source: "policy 'default'" }, { source: "toolPolicy of AgentRun 'x'", deny: ['write_file'] }],
      },
    });
  });

  test('may be done before anyone saw it run', async () => {
    await startKnown();
    const run = await create();
    await bus.publish(refOf(run), succeeded(run.metadata.uid ?? ''));
    await settle();
    expect(kube.writes.filter((write) => write.startsWith('status'))).toHaveLength(1);
    expect(await get()).toHaveProperty('status.phase', 'Succeeded');
    expect(await children()).toEqual([undefined, undefined]);
  });

  test('never changes again, whatever its Pod or its bridge say', async () => {
    await start();
    const run = await create();
    await putPod(RUNNING);
    await bus.publish(refOf(run), succeeded(run.metadata.uid ?? ''));
    await settle();
    const before = await get();
    expect(await bus.publish(refOf(run), succeeded(run.metadata.uid ?? '', 'another'))).toBe('done');
    await putPod({ agent: { terminated: { exitCode: 1 } } });
    await clock.advance(60_000);
    expect(await get()).toEqual(before);
  });

  test('is recorded although someone labelled it at that very moment', async () => {
    await start();
    const run = await create();
    kube.before = (write) => {
      if (!write.startsWith('status')) return;
      kube.before = () => undefined;
      kube.put({ ...run, metadata: { ...run.metadata, labels: { hurried: 'yes' } }, status: { phase: 'Pending' } });
    };
    expect(await bus.publish(refOf(run), succeeded(run.metadata.uid ?? ''))).toBe('done');
    expect(await get()).toMatchObject({ metadata: { labels: { hurried: 'yes' } }, status: { phase: 'Succeeded' } });
  });

  test("isn't mistaken for an earlier run of its name", async () => {
    await start();
    const run = await create();
    expect(await bus.publish(refOf(run), succeeded('uid-of-another'))).toBe('done');
    expect(await get()).not.toHaveProperty('status.phase', 'Succeeded');
  });
});

describe('A run that can not start', () => {
  const failure = async () => {
    const { status } = await get();
    expect(status?.phase).toBe('Failed');
    expect(await events()).toEqual([`Warning ${status?.reason ?? ''}`]);
    expect(await children()).toEqual([undefined, undefined]);
    return status;
  };

  test('names an instance that is not there', async () => {
    await start();
    await create(agentRun('x', { instanceRef: 'nobody' }));
    expect(await failure()).toMatchObject({
      reason: 'InstanceNotFound',
      message:
        "AgentRun 'x' names SympoziumInstance 'nobody', which is not in namespace 'team': create the instance, then the run again",
    });
  });

  test('names a policy that is not there', async () => {
    kube.put(instance({ policy: 'strict' }));
    await start();
    await create();
    expect(await failure()).toMatchObject({
      reason: 'PolicyNotFound',
      message:
        "SympoziumPolicy 'strict' is neither in namespace 'team' nor in 'sympozium-system': create it, or name another one (there are 'default', 'permissive', 'restrictive')",
    });
  });

  test('has no credentials', async () => {
    check = () =>
      Promise.resolve({ ready: false, reason: 'CredentialsNotFound', message: "Secret 'key' is not there: create it" });
    await start();
    await create();
    expect(await failure()).toMatchObject({
      reason: 'CredentialsNotFound',
      message: "Secret 'key' is not there: create it",
    });
  });

  test('may not have a Job', async () => {
    kube.before = (write) => {
      if (write.startsWith('create Job')) throw new KubeError('Forbidden', 403, 'exceeded quota: jobs');
    };
    await start();
    await create();
    await settle();
    const { status } = await get();
    expect(status).toMatchObject({
      phase: 'Failed',
      reason: 'JobNotCreated',
      message: "the Job of the run can't be created: exceeded quota: jobs",
    });
    expect(await children()).toEqual([undefined, undefined]);
  });

  test("finds its Job's name taken", async () => {
    kube.put({ apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'run-x', namespace: 'team' } });
    await start();
    await create();
    expect(await get()).toHaveProperty('status', expect.objectContaining({ phase: 'Failed', reason: 'NameConflict' }));
    expect(await job()).toBeDefined();
  });

  test('waits until the Job of its predecessor is gone', async () => {
    const ownerReferences = [
      { apiVersion: 'sympozium.ai/v1alpha1', kind: 'AgentRun', name: 'x', uid: 'before', controller: true },
    ];
    const old = kube.put({
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: { name: 'run-x', namespace: 'team', ownerReferences },
    });
    await start();
    await create();
    expect(await get()).not.toHaveProperty('status');
    kube.remove(old);
    await clock.advance(1_000);
    expect((await job())?.metadata.ownerReferences?.[0]?.uid).toBe((await get()).metadata.uid);
  });
});

describe('The check of credentials', () => {
  test('is left out when the instance is known to be ready', async () => {
    let asked = 0;
    check = () => Promise.resolve({ ready: true, asked: (asked += 1) });
    await start();
    const before = asked; // by the instance's own reconcile
    await create();
    expect(asked).toBe(before);
    expect(await job()).toBeDefined();
  });

  test("doesn't hold a run up when the gateway is away", async () => {
    check = () => Promise.reject(new Error('connection refused'));
    await start();
    await create();
    expect(await job()).toBeDefined();
  });
});

describe('A run under way', () => {
  test('fails at its deadline, to the second', async () => {
    await start();
    await create(agentRun('x', { timeout: '90s' }));
    await putPod(RUNNING);
    await clock.advance(89_900);
    expect(await get()).toHaveProperty('status.phase', 'Running');
    await clock.advance(100);
    expect(await get()).toHaveProperty('status', expect.objectContaining({
      phase: 'Failed',
      reason: 'DeadlineExceeded',
      message: 'the run took longer than its time limit of 90 s: give it a longer timeout',
    })); // prettier-ignore
    expect(await children()).toEqual([undefined, undefined]);
  });

  test('fails when its agent crashes, but not before its result had time to come', async () => {
    await start();
    await create();
    await putPod({ agent: { terminated: { exitCode: 3 } }, bridge: { running: {} } });
    await clock.advance(2_900);
    expect(await get()).not.toHaveProperty('status.phase', 'Failed');
    await clock.advance(100);
    expect(await get()).toHaveProperty('status', expect.objectContaining({ phase: 'Failed', reason: 'AgentCrashed' }));
    expect(await events()).toEqual(['Warning AgentCrashed']);
  });

  test('succeeds when its result comes after its Pod has gone', async () => {
    await start();
    const run = await create();
    kube.remove(await putPod(RUNNING));
    await settle();
    await clock.advance(2_000);
    await bus.publish(refOf(run), succeeded(run.metadata.uid ?? ''));
    await clock.advance(10_000);
    expect(await get()).toHaveProperty('status.phase', 'Succeeded');
  });

  test('fails when its Pod is deleted', async () => {
    await start();
    await create();
    kube.remove(await putPod(RUNNING));
    await settle();
    await clock.advance(3_000);
    expect(await get()).toHaveProperty('status.reason', 'PodDeleted');
  });

  test.each(['before', 'after'])('fails when its Job is deleted %s a restart of the controller', async (when) => {
    await start();
    await create();
    await putPod(RUNNING);
    const restart = async () => {
      await plane?.stop();
      await start();
    };
    if (when === 'after') await restart();
    kube.remove((await job()) as NonNullable<Awaited<ReturnType<typeof job>>>);
    await settle();
    if (when === 'before') await restart();
    expect(await get()).toHaveProperty('status.reason', 'JobDeleted');
    expect(await children()).toEqual([undefined, undefined]);
  });

  test('says once that no node can take it, and goes on when one can', async () => {
    await startKnown();
    await create();
    const held = (message: string) => ({
      status: { conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message }] },
    });
    await putPod({}, held('0/1 nodes'));
    await clock.advance(5_000);
    await putPod({}, held('0/2 nodes'));
    await clock.advance(5_000);
    expect(await get()).toHaveProperty(
      'status',
      expect.objectContaining({ phase: 'Pending', reason: 'Unschedulable' }),
    );
    expect(kube.writes.filter((write) => write.startsWith('status AgentRun'))).toHaveLength(1);
    await putPod(RUNNING);
    expect(await get()).toHaveProperty('status.phase', 'Running');
    expect(await get()).not.toHaveProperty('status.reason');
  });

  test('fails when no Pod can be made, in the words of the Job controller', async () => {
    await start();
    await create();
    await clock.advance(29_000);
    const uid = (await job())?.metadata.uid ?? '';
    const event: KubeEvent = {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: 'e', namespace: 'team' },
      involvedObject: { apiVersion: 'batch/v1', kind: 'Job', name: 'run-x', uid },
      type: 'Warning',
      reason: 'FailedCreate',
      message: 'pods "run-x-" is forbidden: exceeded quota',
    };
    kube.put(event);
    await clock.advance(1_000);
    expect(await get()).toHaveProperty('status', expect.objectContaining({
      reason: 'PodNotCreated',
      message: 'the Pod of the run can\'t be created: pods "run-x-" is forbidden: exceeded quota',
    })); // prettier-ignore
  });

  test('ends when it is cancelled, and leaves nothing behind', async () => {
    await start();
    await create();
    await putPod(RUNNING);
    const run = await get();
    kube.put({ ...run, spec: { ...run.spec, cancelled: true } });
    await settle();
    expect(await get()).toHaveProperty('status', expect.objectContaining({ phase: 'Cancelled', reason: 'Cancelled' }));
    expect(await children()).toEqual([undefined, undefined]);
    expect(await events()).toEqual(['Normal Started', 'Normal Cancelled']);
  });

  test('gets nothing of a newer image or policy', async () => {
    await start();
    await create();
    const before = await job();
    kube.put(policy('default', { deniedTools: ['read_file'] }));
    await plane?.stop();
    plane = await startControlPlane({ kube, bus, clock, env: { runtimeImage: 'registry/sympozium:2' } });
    await putPod(RUNNING);
    expect(await job()).toEqual(before);
    expect((await get()).status?.effectivePolicy?.hash).toBe(
      before?.metadata.annotations?.['sympozium.ai/policy-hash'],
    );
  });
});

describe('A controller that dies', () => {
  /** Does everything once, dying at the n-th write: before or after the cluster has it. */
  async function dieAt(count: number, when: 'before' | 'after'): Promise<number> {
    await start();
    await settle();
    kube.writes.length = 0;
    let left = count;
    let dead = false;
    kube.before = (write) => {
      if (dead) throw new Error('this process is dead');
      if (/Instance|NetworkPolicy/.test(write)) return;
      left -= 1;
      if (left > 0) return;
      dead = true;
      if (when === 'before') throw new Error('this process is dead');
    };
    const run = await create();
    await putPod(RUNNING);
    await bus.publish(refOf(run), succeeded(run.metadata.uid ?? ''));
    await settle();
    await plane?.stop();
    kube.before = () => undefined;
    await start(); // the next one
    await putPod(RUNNING);
    if ((await get()).status?.phase !== 'Succeeded') await bus.publish(refOf(run), succeeded(run.metadata.uid ?? ''));
    await settle();
    await clock.advance(60_000);
    return left;
  }

  test.each([1, 2, 3, 4, 5, 6, 7, 8].flatMap((count) => [[count, 'before'] as const, [count, 'after'] as const]))(
    'at write %i (%s it) leaves everything to the next one',
    async (count, when) => {
      expect(await dieAt(count, when)).toBeLessThanOrEqual(0); // it really got that far
      expect(await get()).toHaveProperty('status', expect.objectContaining({ phase: 'Succeeded', output: 'pong' }));
      expect(await children()).toEqual([undefined, undefined]);
      expect(bus.results).toEqual([]);
      expect((await events()).filter((event) => event === 'Normal Succeeded')).toHaveLength(1);
    },
  );
});

test('Nothing is written for a namespace that is isolated already', async () => {
  await start();
  await settle();
  expect(kube.writes.filter((write) => NETWORK.includes(write))).toEqual(NETWORK);
  await create();
  expect(kube.writes.filter((write) => NETWORK.includes(write))).toEqual(NETWORK);
});
