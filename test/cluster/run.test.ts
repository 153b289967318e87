import { expect, test } from '@jest/globals';
import { run } from './run.ts';

test('returns what a command prints', async () => {
  expect(await run('echo', ['one', 'two'])).toBe('one two\n');
});

test('the error of a command that fails shows its code and last lines', async () => {
  const failing = run('sh', ['-c', 'for i in 1 2 3 4 5 6 7 8; do echo line $i >&2; done; exit 3']);
  await expect(failing).rejects.toThrow(/failed with code 3:\nline 3\n(.*\n)*line 8$/);
});

test('a command that takes too long is ended', async () => {
  await expect(run('sleep', ['10'], { timeoutMs: 100 })).rejects.toThrow('was ended by SIGKILL');
});

test('a program that does not exist is an error that names it', async () => {
  await expect(run('no-such-program', [])).rejects.toThrow('cannot run no-such-program');
});

test('lines of standard error are told as they come', async () => {
  const lines: string[] = [];
  await run('sh', ['-c', 'echo a >&2; echo; echo b >&2'], { onErrorLine: (line) => lines.push(line) });
  expect(lines).toEqual(['a', 'b']);
});
