import { describe, expect, test } from '@jest/globals';
import { WorkQueue } from '../../../operator/runtime/work-queue.ts';
import { FakeClock } from '../../support/fake-clock.ts';

const make = () => {
  const clock = new FakeClock();
  return { clock, queue: new WorkQueue(clock, 'test') };
};

describe('WorkQueue', () => {
  test('gives a key that was added twice once', async () => {
    const { queue } = make();
    queue.add('a');
    queue.add('a');
    queue.add('b');
    expect([await queue.take(), await queue.take()]).toEqual(['a', 'b']);
  });

  test('never gives a key to two workers together, and gives it again afterwards', async () => {
    const { queue } = make();
    queue.add('a');
    await queue.take();
    queue.add('a');
    queue.add('b');
    expect(await queue.take()).toBe('b');
    const next = queue.take();
    queue.done('a');
    expect(await next).toBe('a');
  });

  test('hands a key to a worker that waits already', async () => {
    const { queue } = make();
    const waiting = queue.take();
    queue.add('a');
    expect(await waiting).toBe('a');
  });

  test('keeps the earliest of several times', async () => {
    const { queue, clock } = make();
    queue.addAfter('a', 100);
    queue.addAfter('a', 50);
    queue.addAfter('a', 5000);
    expect(clock.pending).toBe(1);
    const taken = queue.take();
    await clock.advance(50);
    expect(await taken).toBe('a');
    queue.done('a');
    await clock.advance(10_000);
    queue.close();
    expect(await queue.take()).toBeUndefined();
  });

  test('doubles the pause with every failure, until the key is forgotten', async () => {
    const { queue, clock } = make();
    const pauses: number[] = [];
    for (const step of ['fail', 'fail', 'fail', 'forget', 'fail']) {
      if (step === 'forget') {
        queue.forget('a');
        continue;
      }
      queue.addRateLimited('a');
      const before = clock.now();
      const taken = queue.take();
      while ((await Promise.race([taken, clock.advance(1).then(() => undefined)])) === undefined);
      pauses.push(clock.now() - before);
      queue.done('a');
    }
    expect(pauses).toEqual([5, 10, 20, 5]);
  });

  test('lets every worker go when it is closed, and cancels its timers', async () => {
    const { queue, clock } = make();
    queue.addAfter('a', 100);
    const waiting = [queue.take(), queue.take()];
    queue.close();
    expect(await Promise.all(waiting)).toEqual([undefined, undefined]);
    expect(clock.pending).toBe(0);
    queue.add('b');
    expect(await queue.take()).toBeUndefined();
  });
});
