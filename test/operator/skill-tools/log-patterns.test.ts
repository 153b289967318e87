import { expect, test } from '@jest/globals';
import { patternsText } from '../../../operator/skill-tools/kubernetes/log-patterns.ts';

/** Lines as `kubectl logs --prefix --timestamps` prints them. */
const log = (...lines: readonly (readonly [pod: string, second: number, text: string])[]): string =>
  lines
    .map(
      ([pod, second, text]) =>
        `[pod/${pod}/app] 2026-05-01T12:00:${String(second).padStart(2, '0')}.123456789Z ${text}`,
    )
    .join('\n');

const patterns = (text: string) => [...text.matchAll(/^(\d+x .*)$/gm)].map(([, line]) => line);

test('lines that differ in numbers, addresses and times are one pattern, with count, first and last', () => {
  const text = patternsText(
    log(
      ['web-1', 5, 'ERROR 2026-05-01T12:00:05Z dial tcp 10.0.0.7:5432: connect: connection refused (attempt 3)'],
      ['web-2', 1, 'ERROR 2026-05-01T12:00:01Z dial tcp 10.0.0.9:5432: connect: connection refused (attempt 1)'],
      ['web-1', 9, 'ERROR 2026-05-01T12:00:09Z dial tcp 10.0.0.7:5432: connect: connection refused (attempt 4)'],
      ['web-1', 2, 'GET / 200'],
    ),
    false,
  );
  expect(text.split('\n')).toEqual([
    '4 lines of 2 Pods from 2026-05-01T12:00:01Z to 2026-05-01T12:00:09Z; 3 of them look like errors, in 1 pattern.',
    '3x ERROR <time> dial tcp <address>: connect: connection refused (attempt <n>)',
    '    2026-05-01T12:00:01Z to 2026-05-01T12:00:09Z, web-1, web-2',
    '    ERROR 2026-05-01T12:00:05Z dial tcp 10.0.0.7:5432: connect: connection refused (attempt 3)',
  ]);
});

test('structured lines say themselves whether they are errors', () => {
  const line = (value: object) => JSON.stringify(value);
  const text = patternsText(
    log(
      ['a', 1, line({ level: 'info', msg: 'no errors found, 0 failed' })],
      ['a', 2, line({ level: 50, msg: 'could not save', err: { message: 'disk 7 is full' } })],
      ['a', 3, line({ severity: 'CRITICAL', message: 'lost quorum' })],
      ['a', 4, line({ level: 'warn', msg: 'request timed out' })],
      ['a', 5, line({ level: 'warn', msg: 'slow' })],
    ),
    false,
  );
  expect(patterns(text)).toEqual(['1x could not save: disk <n> is full', '1x lost quorum', '1x request timed out']);
});

test('a stack trace belongs to its first line', () => {
  const text = patternsText(
    log(['a', 1, 'TypeError: x is undefined'], ['a', 1, '    at error (/app/a.js:1:2)'], ['a', 1, '\tat failed (b.js)'], ['a', 2, 'Exception in thread "main"']), // prettier-ignore
    false,
  );
  expect(text).toMatch(/^2 lines of 1 Pod /);
});

test.each([
  ['GET /checkout status=503', true],
  ['level=error msg="upstream"', true],
  ['E0501 12:00:00.000000 1 controller.go:1] sync', true],
  ['panic: runtime error', true],
  ['GET /errors.css 200 503ms', false],
  ['terror at midnight', false],
  ['listening on :5000', false],
])('%s looks like an error: %s', (line, expected) => {
  expect(patternsText(log(['a', 1, line]), false)).toMatch(expected ? /1 of them look/ : /0 of them look/);
});

test('all lines are grouped when that is asked for, the most frequent first', () => {
  const text = patternsText(log(['a', 1, 'tick 1'], ['a', 2, 'boot'], ['a', 3, 'tick 2']), true);
  expect(patterns(text)).toEqual(['2x tick <n>', '1x boot']);
});

test('many patterns are cut, and nothing is not an error', () => {
  const word = (index: number) => String.fromCharCode(97 + (index % 26), 97 + Math.floor(index / 26));
  const many = log(...Array.from({ length: 40 }, (_, index) => ['a', 1, `error in ${word(index)}`] as const));
  expect(patternsText(many, false)).toMatch(/… and 15 more; these are rarer$/);
  expect(patternsText('', false)).toBe('No lines.');
});
