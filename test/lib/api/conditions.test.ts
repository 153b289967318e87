import { expect, test } from '@jest/globals';
import { findCondition, setCondition, type Condition } from '../../../lib/api/conditions.ts';

const earlier = '2026-01-01T00:00:00Z';
const now = new Date('2026-01-02T03:04:05.678Z');
const ready: Condition = {
  type: 'Ready',
  status: 'True',
  reason: 'AsExpected',
  message: 'fine',
  lastTransitionTime: earlier,
};
const other: Condition = { ...ready, type: 'Stalled', status: 'False' };
const { lastTransitionTime: _, ...readyNow } = ready;

test('the time moves when the status changes', () => {
  const [condition] = setCondition([ready], { ...readyNow, status: 'False' }, now);
  expect(condition).toEqual({ ...ready, status: 'False', lastTransitionTime: '2026-01-02T03:04:05Z' });
});

test('the time stays when only the reason changes', () => {
  const [condition] = setCondition([ready], { ...readyNow, reason: 'Checked' }, now);
  expect(condition).toEqual({ ...ready, reason: 'Checked' });
});

test('the same array comes back when nothing changes, so that no write is needed', () => {
  const conditions = [ready, other];
  expect(setCondition(conditions, readyNow, now)).toBe(conditions);
});

test('conditions of other types are left alone, and nothing is changed in place', () => {
  const before = [other];
  const after = setCondition(before, readyNow, now);
  expect(before).toEqual([other]);
  expect(after).toHaveLength(2);
  expect(findCondition(after, 'Stalled')).toBe(other);
  expect(findCondition(after, 'Ready')?.status).toBe('True');
});

test('a condition that was never set is not found', () => {
  expect(findCondition(undefined, 'Ready')).toBeUndefined();
  expect(findCondition([other], 'Ready')).toBeUndefined();
});
