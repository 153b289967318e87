import { describe, expect, test } from '@jest/globals';
import type { OpenApi } from '../../../lib/api/structural.ts';
import { frozenPath, grouped, objects, rules, shapes } from '../../../lib/reference/schema.ts';

const rule = (text: string, path = 'spec') => ({ rule: text, message: 'no', path });

describe('a rule freezes', () => {
  test.each([
    ['self == oldSelf', 'spec'],
    ['self.a == oldSelf.a', 'spec.a'],
    ['has(self.a) == has(oldSelf.a) && (!has(self.a) || self.a == oldSelf.a)', 'spec.a'],
  ])('for good: %s', (text, path) => {
    expect(frozenPath(rule(text))).toBe(path);
  });

  test.each([
    '!has(oldSelf.a) || self.a == oldSelf.a',
    'has(self.b) || self.a == oldSelf.a',
    'self.a == oldSelf.b',
    'has(self.a) == has(oldSelf.a) && (!has(self.b) || self.a == oldSelf.a)',
    'self.a == oldSelf.a && self.b > 1',
    'self != oldSelf',
  ])('not for good: %s', (text) => {
    expect(frozenPath(rule(text))).toBeUndefined();
  });

  test('a field of the whole object', () => {
    expect(frozenPath(rule('self.spec == oldSelf.spec', ''))).toBe('spec');
  });
});

test('objects and rules are found in lists and maps, each with its path', () => {
  const leaf: OpenApi = {
    type: 'object',
    properties: { a: { type: 'string' } },
    'x-kubernetes-validations': [{ rule: 'true', message: 'm' }],
  };
  const schema: OpenApi = {
    type: 'object',
    properties: {
      list: { type: 'array', items: leaf },
      map: { type: 'object', additionalProperties: { type: 'array', items: leaf } },
      plain: { type: 'object', additionalProperties: { type: 'string' } },
    },
  };
  expect(objects(schema, 'spec').map(({ path }) => path)).toEqual(['spec', 'spec.list[]', 'spec.map.*[]']);
  expect(rules(schema).map(({ path }) => path)).toEqual(['list[]', 'map.*[]']);
  expect(grouped(rules(schema))).toMatchObject([{ rule: { message: 'm' }, paths: ['list[]', 'map.*[]'] }]);
});

test('objects of the same fields are one shape, at home where the path is shortest', () => {
  const model: OpenApi = { type: 'object', properties: { name: { type: 'string' } } };
  const schema: OpenApi = {
    type: 'object',
    properties: {
      members: { type: 'array', items: { type: 'object', properties: { model: { ...model, description: 'Own.' } } } },
      model,
      other: { ...model, required: ['name'] },
    },
  };
  expect(shapes(schema, 'spec').map(({ paths }) => paths)).toEqual([
    ['spec'],
    ['spec.members[]'],
    ['spec.model', 'spec.members[].model'],
    ['spec.other'],
  ]);
});
