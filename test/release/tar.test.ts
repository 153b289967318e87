import { execFileSync } from 'node:child_process';
import { expect, test } from '@jest/globals';
import { tarGz } from '../../release/tar.ts';

const TIME = new Date('2026-03-01T12:00:00Z');
const FILES = { 'b/second.txt': 'x'.repeat(513), 'a.txt': 'grüße\n', 'b/empty.txt': '' };

const tar = (...args: readonly string[]) => execFileSync('tar', args, { input: tarGz(FILES, TIME), encoding: 'utf8' });

test('tar reads it: names in order, the time, no owner', () => {
  const lines = tar('--utc', '--numeric-owner', '-tvzf', '-').trim().split('\n');
  expect(lines.map((line) => line.replace(/ +/g, ' '))).toEqual([
    '-rw-r--r-- 0/0 8 2026-03-01 12:00 a.txt',
    '-rw-r--r-- 0/0 0 2026-03-01 12:00 b/empty.txt',
    '-rw-r--r-- 0/0 513 2026-03-01 12:00 b/second.txt',
  ]);
});

test.each(Object.entries(FILES))('tar extracts %s as it was', (path, text) => {
  expect(tar('-xzOf', '-', path)).toBe(text);
});

test('the order in which files are given does not matter', () => {
  expect(tarGz(Object.fromEntries(Object.entries(FILES).reverse()), TIME)).toEqual(tarGz(FILES, TIME));
});

test('a path that does not fit is refused', () => {
  expect(() => tarGz({ ['x'.repeat(101)]: '' }, TIME)).toThrow(
    'is too long for a tar archive: expected at most 100 bytes',
  );
});
