import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';

const ROOT = join(import.meta.dirname, '..');

/** Every weakness that the table must answer, by series and last number. */
const SERIES = { P: 14, T: 8, R: 12, N: 4 };
const WANTED = Object.entries(SERIES).flatMap(([letter, last]) =>
  Array.from({ length: last }, (_, index) => `${letter}${index + 1}`),
);

/** The rows of the table: number, what the original got wrong, and the tests that attack us with it. */
const rows = readFileSync(join(ROOT, 'docs/threat-model.md'), 'utf8')
  .split('\n')
  .flatMap((line) => {
    const [, id, , tests] = /^\| ([PTRN]\d+) +\|(.*)\|(.*)\|$/.exec(line) ?? [];
    return id === undefined ? [] : [{ id, tests: [...(tests ?? '').matchAll(/`([^`]+)`: ([^<]+?)(?=<br>| *$)/g)] }];
  });

test('the table of attacks answers every weakness once', () => {
  expect(rows.map(({ id }) => id)).toEqual(WANTED);
});

test.each(rows.map(({ id, tests }) => [id, tests] as const))('%s names tests that exist', (_, tests) => {
  expect(tests.length).toBeGreaterThan(0);
  for (const [, file = '', name = ''] of tests) {
    expect(readFileSync(join(ROOT, 'test', file), 'utf8').replaceAll("\\'", "'")).toContain(name.trim());
  }
});
