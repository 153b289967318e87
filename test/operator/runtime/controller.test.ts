import { expect, test } from '@jest/globals';
import { ReconcileError } from '../../../operator/errors.ts';
import { SILENT, type LogFields } from '../../../operator/log.ts';
import { runController, type Reconcile } from '../../../operator/runtime/controller.ts';
import { WorkQueue } from '../../../operator/runtime/work-queue.ts';
import { FakeClock, settle } from '../../support/fake-clock.ts';

/** Runs one key through a controller and tells when it was called. */
async function calls(reconcile: Reconcile, forMs: number, error?: (fields: LogFields) => void): Promise<number[]> {
  const clock = new FakeClock();
  const queue = new WorkQueue(clock, 'test');
  const times: number[] = [];
  const log = { ...SILENT, error: (_: string, fields?: LogFields) => error?.(fields ?? {}) };
  const ended = runController({
    name: 'test',
    queue,
    workers: 2,
    log,
    reconcile: (key) => {
      times.push(clock.now());
      return reconcile(key);
    },
  });
  queue.add('a');
  await settle();
  await clock.advance(forMs);
  queue.close();
  await ended;
  return times;
}

test('calls again when it is asked to', async () => {
  expect(await calls(() => Promise.resolve({ requeueAfterMs: 100 }), 250)).toEqual([0, 100, 200]);
});

test('leaves a settled object alone', async () => {
  expect(await calls(() => Promise.resolve({}), 100_000)).toEqual([0]);
});

test('waits as long as the failure says', async () => {
  expect(await calls(() => Promise.reject(ReconcileError.waiting('NotYet', 'later', 30)), 65_000)).toEqual([
    0, 30_000, 60_000,
  ]);
});

test('leaves to a person what only a person can cure', async () => {
  expect(await calls(() => Promise.reject(ReconcileError.stalled('Broken', 'edit it')), 100_000)).toEqual([0]);
});

test('tries a bug again with growing pauses, and logs it with its stack', async () => {
  const errors: unknown[] = [];
  const times = await calls(
    () => Promise.reject(new TypeError('oops')),
    40,
    ({ error }) => errors.push(error),
  );
  expect(times).toEqual([0, 5, 15, 35]);
  expect(errors).toHaveLength(4);
  expect((errors[0] as Error).stack).toContain('controller.test.ts');
});
