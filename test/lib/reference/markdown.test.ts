import { expect, test } from '@jest/globals';
import { anchor, prose, table } from '../../../lib/reference/markdown.ts';

test('a cell keeps its bars and stays on its line', () => {
  expect(table(['a'], [['`x || y`\nz']])).toBe('| a |\n| --- |\n| `x \\|\\| y` z |');
});

test('plain text means itself, and code stays code', () => {
  expect(prose('at */5 of <ns>/[a_b] see `*<x>`')).toBe('at \\*/5 of \\<ns\\>/\\[a_b\\] see `*<x>`');
});

test('links lead to where GitHub puts a heading', () => {
  expect([anchor('`spec.agent.env[]`'), anchor('What it Is')]).toEqual(['#specagentenv', '#what-it-is']);
});
