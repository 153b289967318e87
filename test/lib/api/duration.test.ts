import { expect, test } from '@jest/globals';
import { durationSchema, durationSeconds } from '../../../lib/api/duration.ts';

test.each([
  ['90s', 90],
  ['10m', 600],
  ['1h30m', 5400],
  ['168h', 604_800],
  ['1h0m1s', 3601],
])('%s is %d seconds', (text, seconds) => {
  expect(durationSeconds(text)).toBe(seconds);
  expect(durationSchema.safeParse(text).success).toBe(true);
});

test.each(['', 's', '10', '1d', '1.5h', '-1h', '30s1h', ' 1h', '1h ', '10M'])('%j is not a duration', (text) => {
  expect(() => durationSeconds(text)).toThrow(`not a duration: got '${text}', expected for example '90s' or '1h30m'`);
  expect(durationSchema.safeParse(text).success).toBe(false);
});
