import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { runTool } from '../../../operator/agent/tools/run-tool.ts';
import { BUILTIN_TOOLS } from '../../../operator/ipc/builtin-tools.ts';
import { eventually } from '../../support/eventually.ts';

describe('built-in tools', () => {
  let workspace: string;
  let cancel: AbortController;
  beforeEach(() => {
    workspace = mkdtempSync(join(tmpdir(), 'sympozium-workspace-'));
    cancel = new AbortController();
  });
  afterEach(() => {
    rmSync(workspace, { recursive: true, force: true });
  });

  const run = (tool: string, given: Record<string, unknown>) =>
    runTool(tool, given, {
      workspace,
      variables: { PATH: process.env.PATH, COLOUR: 'green' },
      killGroup: (pid) => process.kill(-pid, 'SIGKILL'),
      signal: cancel.signal,
    });
  const alive = (pid: string) =>
    existsSync(`/proc/${pid.trim()}/status`) && !/State:\sZ/.test(readFileSync(`/proc/${pid.trim()}/status`, 'utf8'));

  test('every definition is a JSON Schema of an object that names what it requires, and has a tool', async () => {
    for (const { name, description, parameters } of BUILTIN_TOOLS) {
      expect(description.length).toBeGreaterThan(20);
      expect(parameters).toMatchObject({ type: 'object', properties: expect.any(Object), additionalProperties: false });
      expect((await run(name, { path: 3, command: 3 })).content).not.toContain('has no tool');
    }
    expect(await run('rm_rf', {})).toEqual({ ok: false, content: "This container has no tool 'rm_rf'." });
  });

  describe('execute_command', () => {
    test('runs in the workspace, with the environment, and tells the exit code', async () => {
      expect(await run('execute_command', { command: 'pwd; echo $COLOUR; echo oops >&2; exit 7' })).toEqual({
        ok: true,
        content: expect.stringMatching(
          new RegExp(`^(?=.*${workspace}\n)(?=[^]*green)(?=[^]*oops)[^]*\n\\[exit code 7\\]$`),
        ),
      });
    });

    test('stops at its timeout, with all that it started', async () => {
      const result = await run('execute_command', {
        command: 'sleep 1000 & echo $! > child; echo on; wait',
        timeout_seconds: '1',
      });
      expect(result.content).toBe('on\n\n[stopped: it took longer than 1 s; give timeout_seconds when it needs more]');
      await eventually(() => !alive(readFileSync(join(workspace, 'child'), 'utf8')));
    });

    test('stops when the run is cancelled', async () => {
      const running = run('execute_command', { command: 'echo $$ > pid; sleep 1000' });
      await eventually(() => existsSync(join(workspace, 'pid')));
      cancel.abort();
      expect((await running).content).toContain('[stopped: the run was cancelled]');
    });

    test('does not wait for what it leaves in the background', async () => {
      const start = performance.now();
      const result = await run('execute_command', { command: 'sleep 3 & echo started' });
      expect(result.content).toBe('started\n\n[exit code 0]');
      expect(performance.now() - start).toBeLessThan(2000);
    });

    test('keeps the beginning and the end of endless output, and little memory', async () => {
      const { content } = await run('execute_command', {
        command: 'echo first; head -c 50000000 /dev/zero | tr "\\0" x; echo; echo last; exit 1',
      });
      expect(Buffer.byteLength(content)).toBeLessThanOrEqual(32_768);
      expect(content).toMatch(
        /^first\nx+\n\[output cut: 50000012 bytes, limit 32768; [^\]]+\]\nx+\nlast\n\n\[exit code 1\]$/,
      );
    });

    test('explains what it can not do', async () => {
      expect(await run('execute_command', {})).toEqual({
        ok: false,
        content: "execute_command failed: argument 'command' must be a string, got nothing.",
      });
      expect((await run('execute_command', { command: 'true', timeout_seconds: 'soon' })).content).toContain(
        `argument 'timeout_seconds' must be a whole number from 1, got "soon"`,
      );
      expect((await run('execute_command', { command: 'kill -9 $$' })).content).toBe('\n[killed by SIGKILL]');
      expect((await run('execute_command', { command: 'no_such_program' })).content).toContain('[exit code 127]');
    });
  });

  describe('files', () => {
    test('are written whole, with their directories, and keep their mode', async () => {
      expect(await run('write_file', { path: 'a/b/c.txt', content: 'päth' })).toEqual({
        ok: true,
        content: `Wrote 5 bytes to ${workspace}/a/b/c.txt.`,
      });
      writeFileSync(join(workspace, 'script.sh'), '#!/bin/sh\n', { mode: 0o755 });
      await run('write_file', { path: join(workspace, 'script.sh'), content: 'new' });
      expect(statSync(join(workspace, 'script.sh')).mode & 0o777).toBe(0o755);
      expect(await run('read_file', { path: 'a/b/c.txt' })).toEqual({ ok: true, content: 'päth' });
      expect((await run('list_directory', {})).content).toBe('a/\nscript.sh');
      expect((await run('list_directory', { path: 'a/b' })).content).toBe('c.txt');
    });

    test('are read by lines', async () => {
      writeFileSync(
        join(workspace, 'lines'),
        Array.from({ length: 20_000 }, (_, index) => `line ${index + 1}`).join('\n'),
      );
      expect((await run('read_file', { path: 'lines', start_line: 3, line_count: 2 })).content).toBe('line 3\nline 4');
      expect((await run('read_file', { path: 'lines', start_line: 20_000 })).content).toBe('line 20000');
      expect((await run('read_file', { path: 'lines', start_line: 20_001 })).content).toContain(
        'has 20000 lines, start_line is 20001',
      );
      const whole = (await run('read_file', { path: 'lines' })).content;
      expect(Buffer.byteLength(whole)).toBeLessThanOrEqual(32_768);
      expect(whole).toMatch(
        /\n\[cut: the file has \d+ bytes, limit 32768; use start_line and line_count to read on\]$/,
      );
    });

    test.each<[string, string, (at: string) => Record<string, unknown>, RegExp]>([
      ['a file that is not there', 'read_file', () => ({ path: 'nowhere' }), /nowhere does not exist\.$/],
      ['a directory', 'read_file', () => ({ path: '.' }), /is a directory: use list_directory/],
      ['a device without end', 'read_file', () => ({ path: '/dev/zero' }), /is not a regular file/],
      [
        'a pipe',
        'read_file',
        (at) => {
          execFileSync('mkfifo', [join(at, 'p')]);
          return { path: 'p' };
        },
        /is not a regular file/,
      ],
      [
        'a binary file',
        'read_file',
        (at) => {
          writeFileSync(join(at, 'b'), Buffer.from([1, 0, 2]));
          return { path: 'b' };
        },
        /is not a text file/,
      ],
      [
        'a large file',
        'read_file',
        (at) => {
          writeFileSync(join(at, 'l'), Buffer.alloc(17 * 2 ** 20, 'x'));
          return { path: 'l' };
        },
        /at most 16777216 are read: use execute_command/,
      ],
      ['no path', 'read_file', () => ({}), /argument 'path' must be a string, got nothing/],
      ['a path with a zero', 'read_file', () => ({ path: 'a\0b' }), /argument 'path' must name a file/],
      [
        'over a directory',
        'write_file',
        (at) => {
          mkdirSync(join(at, 'd'));
          return { path: 'd', content: '' };
        },
        /d is a directory/,
      ],
      [
        'below a file',
        'write_file',
        (at) => {
          writeFileSync(join(at, 'f'), '');
          return { path: 'f/x', content: '' };
        },
        /f\/x (goes through something that is not a directory|failed: EEXIST)/,
      ],
      [
        'too much',
        'write_file',
        () => ({ path: 'x', content: 'x'.repeat(2 ** 20 + 1) }),
        /at most 1048576 are written/,
      ],
      [
        'to a system file',
        'write_file',
        () => ({ path: '/proc/version', content: '' }),
        /\/proc\/version (may not be accessed|failed|does not exist)/,
      ],
      [
        'of a file',
        'list_directory',
        (at) => {
          writeFileSync(join(at, 'f'), '');
          return { path: 'f' };
        },
        /goes through something that is not a directory/,
      ],
    ])('%s: %s says what is wrong', async (_, tool, prepare, expected) => {
      const result = await run(tool, prepare(workspace));
      expect(result).toEqual({ ok: false, content: expect.stringMatching(expected) });
    });

    test('an empty directory, and one with many entries', async () => {
      expect((await run('list_directory', {})).content).toBe(`${workspace} is empty.`);
      for (let n = 0; n < 1100; n += 1) symlinkSync('/nowhere', join(workspace, `entry-${n}`));
      expect((await run('list_directory', {})).content).toMatch(/\n\[1100 entries, the first 1000 are listed\]$/);
    });
  });
});
