import { describe, expect, test } from '@jest/globals';
import { isFinished, type AgentRun } from '../../../../lib/api/v1alpha1/agent-run.ts';
import { positionOf, sentenceFor, type QueuedRun } from '../../../../operator/controllers/agent-run/queue.ts';
import type { Listing, Resource, Selection, WatchEvent } from '../../../../operator/kube/port.ts';
import { AGENT_RUNS, JOBS, type Job } from '../../../../operator/kube/resources.ts';
import { refOf } from '../../../support/control-plane.ts';
import { settle } from '../../../support/fake-clock.ts';
import { FakeKube } from '../../../support/fake-kube.ts';
import { must } from '../../../support/must.ts';
import { agentRun, instance, policy, succeeded } from '../../../support/objects.ts';
import { Bench } from './bench.ts';

const bench = Bench.make();

const limited = (concurrentRuns: number) => bench.kube.put(instance({ limits: { concurrentRuns } }));
const namesOf = (count: number, from = 0) =>
  Array.from({ length: count }, (_, index) => `r${String(from + index).padStart(3, '0')}`);
const create = async (...names: readonly string[]) => {
  for (const name of names) bench.kube.put(agentRun(name));
  await settle();
};
const get = async (name: string): Promise<AgentRun> =>
  must(await bench.kube.get(AGENT_RUNS, { namespace: 'team', name }));
const jobs = async () =>
  (await bench.kube.list(JOBS)).items.map(({ metadata }) => metadata.name.replace('run-', '')).sort();
const succeed = async (name: string) => {
  const run = await get(name);
  await bench.bus.publish(refOf(run), succeeded(run.metadata.uid ?? ''));
  await settle();
};
/** What the controller creates says when. */
const stampAsTimeGoes = () => {
  bench.kube.fill = (object) => ({
    ...object,
    metadata: { ...object.metadata, creationTimestamp: bench.clock.date().toISOString() },
  });
};
/** The runs that have a Job and have not ended. */
const atWork = async () => {
  const { items } = await bench.kube.list(AGENT_RUNS);
  const started = new Set(await jobs());
  return items.filter((run) => !isFinished(run) && started.has(run.metadata.name)).length;
};

describe('A place in the queue', () => {
  const run = (uid: string, createdAt: number, holds = false): QueuedRun => ({ uid, key: uid, createdAt, holds });

  test.each([
    ['is nobody’s business without a limit', 'b', [run('a', 1, true), run('b', 2)], undefined, 0],
    ['is free', 'a', [run('a', 1)], 1, 0],
    ['is taken', 'b', [run('a', 1, true), run('b', 2)], 1, 1],
    ['belongs to who came first, whoever asks', 'c', [run('c', 3), run('b', 2)], 1, 1],
    ['is enough for both', 'c', [run('c', 3), run('b', 2)], 2, 0],
    ['counts those before', 'd', [run('a', 1, true), run('b', 2), run('c', 3), run('d', 4)], 1, 3],
    ['does not change when the one before gets its place', 'd', [run('b', 2), run('c', 3), run('d', 4)], 1, 2],
    ['is not there when the limit was lowered', 'c', [run('a', 1, true), run('b', 2, true), run('c', 3)], 1, 1],
  ])('%s', (...[, uid, runs, limit, position]) => {
    expect(positionOf(uid, runs, limit)).toBe(position);
  });

  test('is told exactly to the first ten, and roughly to the others', () => {
    const told = (position: number) => sentenceFor(position, 'helper', 2);
    expect(told(3)).toBe(
      "waits for a place, at position 3 in the queue of SympoziumInstance 'helper': it has at most 2 runs at work at once",
    );
    expect(told(11)).toBe(told(100));
    expect(told(11)).toContain('behind more than 10 others');
    expect(told(101)).toContain('behind more than 100 others');
  });
});

describe('P12: runs beyond the limit of their instance', () => {
  test('wait in the order of their creation, and start the moment a place is free', async () => {
    limited(2);
    await bench.start();
    await create(...namesOf(5));
    expect(await jobs()).toEqual(['r000', 'r001']);
    expect((await get('r003')).status).toMatchObject({
      phase: 'Pending',
      reason: 'Queued',
      message: expect.stringContaining('at position 2 in the queue'),
      conditions: [
        { type: 'Ready', status: 'False', reason: 'Queued' },
        { type: 'Reconciling', status: 'True', reason: 'Queued' },
      ],
    });
    await succeed('r001');
    expect(await jobs()).toEqual(['r000', 'r002']);
    expect((await get('r003')).status?.message).toContain('at position 1 in the queue');
    await succeed('r000');
    await succeed('r002');
    expect(await jobs()).toEqual(['r003', 'r004']);
  });

  test('of which the policy has the say, too: the lower limit holds', async () => {
    bench.kube.put(policy('default', { limits: { concurrentRuns: 1 } }));
    limited(2);
    await bench.start();
    await create(...namesOf(2));
    expect(await jobs()).toEqual(['r000']);
  });

  test('are never let in together, though the copies of the cluster lag behind', async () => {
    const kube = new LaggingKube(policy('default'), instance({ limits: { concurrentRuns: 3 } }));
    bench.kube = kube;
    let most = 0;
    kube.onJob = async () => {
      most = Math.max(most, await atWork());
    };
    await bench.start();
    await create(...namesOf(60));
    for (const name of namesOf(60)) {
      await succeed(name);
      await settle();
    }
    expect(most).toBe(3);
    const { items } = await kube.list(AGENT_RUNS);
    expect(items.every(isFinished)).toBe(true);
  });

  test('are not started by another controller that does not yet see what the one before has started', async () => {
    limited(1);
    await bench.start();
    await create(...namesOf(3));
    await bench.stop();
    // The copy of the next one was listed a moment before the Job was made.
    const list = bench.kube.list.bind(bench.kube);
    bench.kube.list = (async (resource: Resource<Job>, selection?: Selection) =>
      resource.kind === 'Job' && selection?.namespace === undefined
        ? { ...(await list(resource, selection)), items: [] }
        : list(resource, selection)) as typeof bench.kube.list;
    await bench.start();
    await settle();
    expect((await list(JOBS)).items.map(({ metadata }) => metadata.name)).toEqual(['run-r000']);
    await succeed('r000');
    expect((await get('r001')).status?.reason).toBe('Queued'); // until it is seen running
    expect((await list(JOBS)).items.map(({ metadata }) => metadata.name)).toContain('run-r001');
  });

  test('end at once when they are cancelled, and let the next one move up', async () => {
    limited(1);
    await bench.start();
    await create(...namesOf(3));
    const waiting = await get('r001');
    bench.kube.put({ ...waiting, spec: { ...waiting.spec, cancelled: true } });
    await settle();
    expect((await get('r001')).status).toMatchObject({ phase: 'Cancelled' });
    expect((await get('r002')).status?.message).toContain('at position 1 in the queue');
    expect(await jobs()).toEqual(['r000']);
  });

  test('come in when the one before is deleted, or the limit is raised', async () => {
    limited(1);
    await bench.start();
    await create(...namesOf(4));
    bench.kube.remove(await get('r000'));
    await settle();
    expect(await jobs()).toEqual(['r000', 'r001']); // the Job of the first is for the garbage collector
    limited(3);
    await settle();
    expect(await jobs()).toEqual(['r000', 'r001', 'r002', 'r003']);
  });

  test('have all of their time limit from their start on', async () => {
    limited(1);
    await bench.start();
    stampAsTimeGoes();
    await create('r000');
    bench.kube.put(agentRun('r001', { timeout: '30s' }));
    await settle();
    await bench.clock.advance(300_000);
    expect((await get('r001')).status?.reason).toBe('Queued');
    await succeed('r000');
    expect(await jobs()).toEqual(['r001']);
    await bench.clock.advance(29_000);
    expect((await get('r001')).status?.phase).toBe('Pending');
    await bench.clock.advance(1_000);
    expect((await get('r001')).status?.reason).toBe('DeadlineExceeded');
  });

  test('are given a bus that is away for a moment, however long they have waited', async () => {
    limited(1);
    stampAsTimeGoes();
    await bench.start();
    bench.kube.put(agentRun('r000', { timeout: '10h' }));
    await settle();
    bench.kube.put(agentRun('r001', { timeout: '30s' }));
    await settle();
    await bench.clock.advance(300_000);
    bench.bus.down = new Error('no connection');
    await succeed('r000');
    await bench.clock.advance(10_000);
    bench.bus.down = undefined;
    await bench.clock.advance(3_000);
    expect(await jobs()).toContain('r001');
  });

  test('wait for a day and no longer', async () => {
    limited(1);
    await bench.start();
    await create('r000');
    const metadata = { name: 'r001', creationTimestamp: '2025-12-31T00:00:05Z' }; // a day ago, but for five seconds
    bench.kube.put(agentRun('r001', {}, { metadata }));
    await settle();
    await bench.clock.advance(4_900);
    expect((await get('r001')).status?.reason).toBe('Queued');
    await bench.clock.advance(100);
    expect((await get('r001')).status).toMatchObject({
      phase: 'Failed',
      reason: 'QueueTimeout',
      message: expect.stringMatching(/^the run waited for a place for 24 hours, .* raise limits\.concurrentRuns/),
    });
  });

  test('cost a start in a long queue a bounded number of writes', async () => {
    limited(1);
    await bench.start();
    await create(...namesOf(150));
    bench.kube.writes.length = 0;
    await succeed('r000');
    expect(bench.kube.writes.filter((write) => write.startsWith('status')).length).toBeLessThanOrEqual(13);
  });
});

/** A cluster whose watches of Jobs bring nothing, and whose watches of runs bring everything late. */
class LaggingKube extends FakeKube {
  onJob: () => Promise<void> = () => Promise.resolve();

  override async *watch<T extends { apiVersion: string; kind: string; metadata: { name: string } }>(
    resource: Resource<T>,
    selection: Selection,
    signal: AbortSignal,
  ): AsyncGenerator<WatchEvent<T>> {
    for await (const event of super.watch(resource, selection, signal)) {
      if (resource.kind === 'Job') continue;
      await new Promise((resolve) => setImmediate(resolve));
      yield event;
    }
  }

  override async create<T extends { apiVersion: string; kind: string; metadata: { name: string } }>(
    resource: Resource<T>,
    object: T,
  ): Promise<T> {
    const created = await super.create(resource, object);
    if (resource.kind === 'Job') await this.onJob();
    return created;
  }

  override list<T extends { apiVersion: string; kind: string; metadata: { name: string } }>(
    resource: Resource<T>,
    selection?: Selection,
  ): Promise<Listing<T>> {
    return super.list(resource, selection);
  }
}
