import { describe, expect, test } from '@jest/globals';
import { refOf } from '../../../support/control-plane.ts';
import { settle } from '../../../support/fake-clock.ts';
import { succeeded } from '../../../support/objects.ts';
import { Bench, RUNNING } from './bench.ts';

const bench = Bench.make();

describe('A controller that dies', () => {
  /** Does everything once, dying at the n-th write: before or after the cluster has it. */
  async function dieAt(count: number, when: 'before' | 'after'): Promise<number> {
    await bench.start();
    await settle();
    bench.kube.writes.length = 0;
    let left = count;
    let dead = false;
    bench.kube.before = (write) => {
      if (dead) throw new Error('this process is dead');
      if (/Instance|NetworkPolicy|SkillPack/.test(write)) return;
      left -= 1;
      if (left > 0) return;
      dead = true;
      if (when === 'before') throw new Error('this process is dead');
    };
    const run = await bench.create();
    await bench.putPod(RUNNING);
    await bench.bus.publish(refOf(run), succeeded(run.metadata.uid ?? ''));
    await settle();
    await bench.stop();
    bench.kube.before = () => undefined;
    await bench.start(); // the next one
    await bench.putPod(RUNNING);
    if ((await bench.get()).status?.phase !== 'Succeeded')
      await bench.bus.publish(refOf(run), succeeded(run.metadata.uid ?? ''));
    await settle();
    await bench.clock.advance(60_000);
    return left;
  }

  test.each([1, 2, 3, 4, 5, 6, 7, 8].flatMap((count) => [[count, 'before'] as const, [count, 'after'] as const]))(
    'at write %i (%s it) leaves everything to the next one',
    async (count, when) => {
      expect(await dieAt(count, when)).toBeLessThanOrEqual(0); // it really got that far
      expect(await bench.get()).toHaveProperty(
        'status',
        expect.objectContaining({ phase: 'Succeeded', output: 'pong' }),
      );
      expect(await bench.children()).toEqual([]);
      expect(bench.bus.results).toEqual([]);
      expect((await bench.events()).filter((event) => event === 'Normal Succeeded')).toHaveLength(1);
    },
  );
});
