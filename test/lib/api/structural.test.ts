import { describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { structural } from '../../../lib/api/structural.ts';

const text = z.string().max(10);

describe('what an API server would refuse is refused when the schema is built', () => {
  test.each<[string, z.ZodType, string]>([
    ['a union', z.union([text, z.int().min(0)]), "spec: 'anyOf' can't be part of a CRD"],
    ['a literal of two types', z.object({ a: z.union([z.literal(1), z.literal('x')]) }), 'spec.a:'],
    ['a nullable field', z.object({ a: text.nullable() }), "spec.a: 'nullable' can't be part of a CRD"],
    [
      'a string without an upper bound',
      z.object({ a: z.string() }),
      'spec.a: a string needs an upper bound: add maxLength',
    ],
    [
      'a list without an upper bound',
      z.object({ a: z.array(text) }),
      'spec.a: a list needs an upper bound: add maxItems',
    ],
    [
      'a string in a list without an upper bound',
      z.object({ a: z.array(z.string()).max(3) }),
      'spec.a[]: a string needs',
    ],
    ['a map without an upper bound', z.object({ a: z.record(z.string(), text) }), 'spec.a'],
    [
      'a list-map key that may be missing',
      z.object({
        a: z
          .array(z.object({ name: text.optional() }))
          .max(3)
          .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'] }),
      }),
      "spec.a: list-map key 'name' may be missing in an item: make it required",
    ],
  ])('%s', (_name, schema, message) => {
    expect(() => structural(schema, 'spec')).toThrow(message);
  });
});

test('what an API server takes comes out as it spells it', () => {
  const schema = z
    .object({
      name: z
        .string()
        .min(1)
        .max(63)
        .regex(/^[a-z]+$/)
        .describe('A name.'),
      phase: z.enum(['A', 'B']).optional(),
      replicas: z.int().min(1).max(9).optional(),
      at: z.iso.datetime().optional(),
    })
    .meta({ 'x-kubernetes-validations': [{ rule: 'true', message: 'always' }] });

  expect(structural(schema, 'spec')).toEqual({
    type: 'object',
    required: ['name'],
    'x-kubernetes-validations': [{ rule: 'true', message: 'always' }],
    properties: {
      name: { type: 'string', description: 'A name.', minLength: 1, maxLength: 63, pattern: '^[a-z]+$' },
      phase: { type: 'string', enum: ['A', 'B'] },
      replicas: { type: 'integer', minimum: 1, maximum: 9 },
      at: { type: 'string', format: 'date-time' },
    },
  });
});
