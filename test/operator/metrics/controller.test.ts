import { expect, test } from '@jest/globals';
import { ReconcileError } from '../../../operator/errors.ts';
import { KubeError } from '../../../operator/kube/errors.ts';
import { Elector } from '../../../operator/kube/lease.ts';
import { reflect } from '../../../operator/kube/reflect.ts';
import { PODS } from '../../../operator/kube/resources.ts';
import { SILENT } from '../../../operator/log.ts';
import { runController } from '../../../operator/runtime/controller.ts';
import { WorkQueue } from '../../../operator/runtime/work-queue.ts';
import { refOf } from '../../support/control-plane.ts';
import { FakeClock, settle } from '../../support/fake-clock.ts';
import { FakeKube } from '../../support/fake-kube.ts';
import { agentRun, succeeded } from '../../support/objects.ts';
import { Bench, RUNNING } from '../controllers/agent-run/bench.ts';
import { measure } from './scrape.ts';

test('a reconciliation is counted by how it came out', async () => {
  const scrape = measure('controller');
  const clock = new FakeClock();
  const queue = new WorkQueue(clock, 'Thing');
  const outcomes: Readonly<Record<string, () => Promise<object>>> = {
    good: () => Promise.resolve({}),
    early: () => Promise.reject(ReconcileError.waiting('NotYet', 'later', 3600)),
    broken: () => Promise.reject(ReconcileError.stalled('Broken', 'edit it')),
    bug: () => Promise.reject(new TypeError('oops')),
  };
  const reconcile = (key: string) => outcomes[key]?.() ?? Promise.resolve({});
  const ended = runController({ name: 'Thing', queue, workers: 1, log: SILENT, reconcile });
  for (const key of Object.keys(outcomes)) queue.add(key);
  await settle();
  await clock.advance(6); // the bug is tried again after 5 ms
  queue.close();
  await ended;
  const { value } = await scrape();
  const count = (outcome: string) => value('sympozium_reconcile_duration_seconds_count', { kind: 'Thing', outcome });
  expect(['success', 'wait', 'stalled', 'error'].map(count)).toEqual([1, 1, 1, 2]);
  expect(value('workqueue_adds_total', { name: 'Thing' })).toBe(5);
  expect(value('workqueue_retries_total', { name: 'Thing' })).toBe(2);
});

test('a queue tells how much waits and how long it waited', async () => {
  const scrape = measure('controller');
  const clock = new FakeClock();
  const queue = new WorkQueue(clock, 'Thing');
  const depth = async () => (await scrape()).value('workqueue_depth', { name: 'Thing' });
  queue.add('a');
  queue.add('b');
  queue.add('b');
  expect(await depth()).toBe(2);
  await clock.advance(700);
  await queue.take();
  queue.add('a'); // while it is in work: it waits until that is done
  await clock.advance(300);
  queue.done('a');
  expect(await depth()).toBe(2);
  await queue.take();
  await queue.take();
  expect(await depth()).toBe(0);
  const { value } = await scrape();
  expect(value('workqueue_adds_total')).toBe(3);
  expect(value('workqueue_queue_duration_seconds_count')).toBe(3);
  expect(value('workqueue_queue_duration_seconds_sum')).toBeCloseTo(0.7 + 1 + 0.3);
});

const bench = Bench.make();

test('a run is counted from its creation to its end', async () => {
  const scrape = measure('controller');
  await bench.start();
  await bench.clock.advance(400);
  const run = await bench.create();
  const active = async (phase: string) =>
    (await scrape()).value('sympozium_runs_active', { run_namespace: 'team', phase });
  expect([await active('Pending'), await active('Running')]).toEqual([1, 0]);
  await bench.clock.advance(500);
  await bench.putPod(RUNNING);
  expect([await active('Pending'), await active('Running')]).toEqual([0, 1]);
  await bench.clock.advance(2_000);
  await bench.bus.publish(refOf(run), succeeded(run.metadata.uid ?? ''));
  await bench.bus.publish(refOf(run), succeeded(run.metadata.uid ?? '')); // delivered twice, counted once
  await settle();
  const { value, text } = await scrape();
  expect(value('sympozium_runs_ended_total', { run_namespace: 'team', phase: 'Succeeded', reason: 'Completed' })).toBe(
    1,
  );
  // The object says 00:00:00; that it came 0.4 s later is what the controller saw.
  expect(value('sympozium_run_start_duration_seconds_sum', { run_namespace: 'team' })).toBeCloseTo(0.5);
  expect(value('sympozium_run_duration_seconds_sum', { phase: 'Succeeded' })).toBeCloseTo(2.5);
  expect([await active('Pending'), await active('Running')]).toEqual([0, 0]);
  expect(text).not.toContain('pong');

  bench.kube.remove(await bench.get());
  await settle();
  expect([await active('Pending'), await active('Running')]).toEqual([0, 0]);
});

test('a run that fails is counted with its reason', async () => {
  const scrape = measure('controller');
  await bench.start();
  await bench.create(agentRun('x', { instanceRef: 'nobody' }));
  const { value } = await scrape();
  expect(value('sympozium_runs_ended_total', { phase: 'Failed', reason: 'InstanceNotFound' })).toBe(1);
  expect(value('sympozium_run_duration_seconds_count', { phase: 'Failed' })).toBe(1);
});

test('the age of a run that was there before the controller is known to the second', async () => {
  const scrape = measure('controller');
  bench.kube.put(agentRun('x', { instanceRef: 'nobody' }));
  await bench.clock.advance(90_000);
  await bench.start();
  const seconds = (await scrape()).value('sympozium_run_duration_seconds_sum');
  expect(seconds).toBeGreaterThanOrEqual(89);
  expect(seconds).toBeLessThanOrEqual(90);
});

test('who leads says so, and says so no more when it has lost the Lease', async () => {
  const scrape = measure('controller');
  const leads = async () => (await scrape()).value('leader_election_master_status', { name: 'lock' });
  const [clock, kube, stop] = [new FakeClock(), new FakeKube(), new AbortController()];
  const make = (identity: string) =>
    new Elector({ kube, clock, namespace: 'system', name: 'lock', identity, onError: () => undefined });
  const elector = make('a');
  const acquired = elector.acquire(stop.signal);
  expect(await leads()).toBe(0);
  await acquired;
  expect(await leads()).toBe(1);
  kube.before = () => {
    throw new KubeError('Unavailable', 503, 'down');
  };
  const held = expect(elector.hold(stop.signal, Promise.resolve())).rejects.toThrow('lost the Lease');
  await clock.advance(30_000);
  await held;
  expect(await leads()).toBe(0);

  kube.before = () => undefined;
  const second = make('a');
  await second.acquire(stop.signal);
  expect(await leads()).toBe(1);
  stop.abort();
  await second.hold(stop.signal, Promise.resolve());
  expect(await leads()).toBe(0);
});

test('a local copy counts its lists, its watches and what went wrong', async () => {
  const scrape = measure('controller');
  const [clock, kube, stop] = [new FakeClock(), new FakeKube(), new AbortController()];
  let failures = 2;
  const list: FakeKube['list'] = (...args) =>
    failures-- > 0 ? Promise.reject(new KubeError('Unavailable', 503, 'down')) : kube.list(...args);
  const watch: FakeKube['watch'] = (...args) => kube.watch(...args);
  const reflector = reflect(PODS, { kube: { list, watch }, clock, random: () => 0, log: SILENT });
  expect((await scrape()).value('sympozium_reflector_errors_total', { kind: 'Pod' })).toBe(0); // an increase from 0 is seen
  const running = reflector.run(stop.signal);
  await clock.advance(10_000);
  const { value } = await scrape();
  const counts = ['lists', 'watches', 'errors'].map((what) =>
    value(`sympozium_reflector_${what}_total`, { kind: 'Pod' }),
  );
  expect(counts).toEqual([3, 1, 2]);
  stop.abort();
  await running;
});
