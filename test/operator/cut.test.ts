import { describe, expect, test } from '@jest/globals';
import { cutMiddle, cutText } from '../../operator/cut.ts';

describe.each([
  ['cutText', cutText],
  ['cutMiddle', cutMiddle],
])('%s', (_, cut) => {
  test.each(['abc', 'äöü', '€€€', '😀😀😀', 'a😀b€c'])('keeps whole characters of %s, at every limit', (unit) => {
    const text = unit.repeat(20);
    for (let limit = 3; limit <= Buffer.byteLength(text) + 2; limit += 1) {
      const short = cut(text, limit, '[…]');
      expect(Buffer.byteLength(short)).toBeLessThanOrEqual(Math.max(limit, 5));
      expect(short).not.toContain('�');
      if (limit >= Buffer.byteLength(text)) expect(short).toBe(text);
      else expect(short).toContain('[…]');
    }
  });
});

test('cutMiddle keeps the beginning and the end', () => {
  expect(cutMiddle('begin' + '-'.repeat(1000) + 'end', 40, '[cut]')).toMatch(/^begin-+\[cut\]-+end$/);
});
