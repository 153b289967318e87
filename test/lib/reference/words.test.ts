import { describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { durationSchema } from '../../../lib/api/duration.ts';
import { structural } from '../../../lib/api/structural.ts';
import { toolList } from '../../../lib/api/v1alpha1/fields.ts';
import { code, limits, typeName, value } from '../../../lib/reference/words.ts';

const text = z.string().max(9);
const cases: readonly (readonly [z.ZodType, string, string])[] = [
  [text, 'string', 'at most 9 characters'],
  [z.string().length(1), 'string', 'exactly 1 character'],
  [z.string().min(1).max(65_536), 'string', '1 to 65,536 characters'],
  [text.regex(/^a|b$/), 'string', 'at most 9 characters; matches `^a|b$`'],
  [durationSchema, 'duration', 'such as `90s`, `10m` or `1h30m`'],
  [z.iso.datetime(), 'time', 'such as `2030-01-31T12:00:00Z`'],
  [z.int(), 'integer', ''],
  [z.int().min(0), 'integer', 'at least 0'],
  [z.int().max(5), 'integer', 'at most 5'],
  [z.int().min(1).max(1000), 'integer', '1 to 1,000'],
  [z.boolean(), 'boolean', ''],
  [z.array(z.enum(['a', 'b'])).max(2), 'list of strings', 'at most 2 items; each: one of `a`, `b`'],
  [
    toolList,
    'set of strings',
    'at most 128 items; each: 1 to 64 characters, letters, digits, `_` and `-`, begins with a letter',
  ],
  [
    z.record(z.string(), text).meta({ maxProperties: 1 }),
    'map of strings',
    'at most 1 entry; each value: at most 9 characters',
  ],
  [
    z.record(z.string(), z.array(text).max(3)).meta({ maxProperties: 8 }),
    'map of lists of strings',
    'at most 8 entries; each value: at most 3 items, each: at most 9 characters',
  ],
  [
    z
      .array(z.object({ type: text }))
      .min(1)
      .max(16)
      .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['type'] }),
    'list of objects',
    '1 to 16 items; one for each `type`',
  ],
];

describe('words for a schema', () => {
  test.each(cases)('%#: %s is a %s', (schema, type, bounds) => {
    const openApi = structural(schema, 'field');
    expect(typeName(openApi)).toBe(type);
    expect(limits(openApi).join('; ')).toBe(bounds);
  });

  test('of what has no type', () => {
    expect(typeName({})).toBe('any value');
    expect(typeName({ type: 'object', 'x-kubernetes-preserve-unknown-fields': true })).toBe('any object');
  });
});

test('values are written as they are in YAML, and code as it is', () => {
  expect([value('a'), value(''), value({ phase: 'Pending' }), value(false), code('a `b`')]).toEqual([
    '`a`',
    '`""`',
    '`{"phase":"Pending"}`',
    '`false`',
    '`` a `b` ``',
  ]);
});
