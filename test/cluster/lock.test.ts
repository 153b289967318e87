import { expect, test } from '@jest/globals';
import { withLock } from './lock.ts';
import { silent } from './progress.ts';

test('two that want the same lock work one after the other, even when the first fails', async () => {
  const events: string[] = [];
  const work = (name: string) => async () => {
    events.push(`${name} begins`);
    await new Promise((resolve) => setTimeout(resolve, 50));
    events.push(`${name} ends`);
    throw new Error(name);
  };
  const name = `test-${process.pid}`;
  const results = await Promise.allSettled([
    withLock(name, silent, work('first')),
    withLock(name, silent, work('second')),
  ]);
  expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  expect(events).toHaveLength(4);
  expect(events[1]).toBe(events[0]?.replace('begins', 'ends'));
  expect(events[3]).toBe(events[2]?.replace('begins', 'ends'));
});
