import { expect, test } from '@jest/globals';
import { canonicalJson } from '../../../lib/policy/canonical.ts';

test.each([
  [
    'sorts names at every level',
    { b: 1, a: { d: [{ y: 1, x: 2 }], c: null } },
    '{"a":{"c":null,"d":[{"x":2,"y":1}]},"b":1}',
  ],
  ['sorts by code units', { ö: 1, z: 2, Z: 3, '10': 4, '9': 5 }, '{"10":4,"9":5,"Z":3,"z":2,"ö":1}'],
  ['leaves out what is undefined', { a: undefined, b: [undefined] }, '{"b":[null]}'],
  ['writes numbers and texts as JSON does', [1e21, -0, 0.1, 'é"\n\u2028', true], '[1e+21,0,0.1,"é\\"\\n\u2028",true]'],
  [
    'knows a field that is named like a part of every object',
    JSON.parse('{"__proto__":1,"a":2}'),
    '{"__proto__":1,"a":2}',
  ],
])('%s', (_, value: unknown, text) => {
  expect(canonicalJson(value)).toBe(text);
});
