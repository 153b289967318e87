import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { SidecarMessage, ToSidecar } from '../../../operator/ipc/messages.ts';
import { MailboxWriter } from '../../../operator/ipc/writer.ts';
import { runExec } from '../../../operator/skill/run-exec.ts';
import { eventually } from '../../support/eventually.ts';

let box: string;
beforeEach(() => {
  box = mkdtempSync(join(tmpdir(), 'sympozium-skill-'));
  for (const directory of ['in', 'out', 'workspace']) mkdirSync(join(box, directory));
});
afterEach(() => {
  rmSync(box, { recursive: true, force: true });
});

describe('The runner of a sidecar', () => {
  let runner: ChildProcess;
  let bridge: MailboxWriter;
  beforeEach(() => {
    bridge = new MailboxWriter(join(box, 'in'));
    const main = join(import.meta.dirname, '../../../operator/main/skill.ts');
    runner = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', main], {
      cwd: join(box, 'workspace'),
      env: { PATH: process.env.PATH, SYMPOZIUM_MAILBOX: box, COLOUR: 'green' },
      stdio: 'ignore',
    });
  });
  afterEach(async () => {
    if (runner.exitCode !== null || runner.signalCode !== null) return;
    runner.kill('SIGKILL');
    await once(runner, 'exit');
  });

  const send = (message: Omit<Extract<ToSidecar, { type: 'tool-call' }>, 'v' | 'type' | 'tool' | 'arguments'>) => {
    bridge.write({ v: 1, type: 'tool-call', tool: 'test', arguments: {}, ...message } as ToSidecar);
  };
  const answers = (): readonly SidecarMessage[] =>
    readdirSync(join(box, 'out'))
      .filter((file) => file.endsWith('.json'))
      .sort()
      .map((file) => JSON.parse(readFileSync(join(box, 'out', file), 'utf8')) as SidecarMessage);
  const answer = (id: string) => eventually(() => answers().find((message) => message.id === id), 20_000);

  test('runs each call in the workspace, with its environment, and answers with the output', async () => {
    send({ id: 'a', exec: ['sh', '-c', 'pwd; echo $COLOUR >&2'] });
    expect(await answer('a')).toEqual({
      v: 1,
      id: 'a',
      type: 'tool-result',
      ok: true,
      content: `${join(box, 'workspace')}\ngreen\n`,
    });
  });

  test('gives every word to the program as it is: there is no shell', async () => {
    const words = ['$(id)', '; rm -rf /', '`x`', '*', 'a b', ''];
    send({ id: 'a', exec: ['printf', '<%s>', ...words] });
    expect(await answer('a')).toMatchObject({ ok: true, content: words.map((word) => `<${word}>`).join('') });
  });

  test('answers a program that fails, and one that is not there', async () => {
    send({ id: 'fails', exec: ['sh', '-c', 'echo no such Pod; exit 3'] });
    send({ id: 'missing', exec: ['no-such-program'] });
    expect(await answer('fails')).toMatchObject({ ok: false, content: 'no such Pod\n\n[exit code 3]' });
    expect(await answer('missing')).toMatchObject({
      ok: false,
      content: "'no-such-program' could not be started: spawn no-such-program ENOENT",
    });
  });

  test('runs calls side by side', async () => {
    // The first ends only after the second has begun.
    send({ id: 'first', exec: ['sh', '-c', 'until test -e go; do sleep 0.05; done; echo done'] });
    send({ id: 'second', exec: ['touch', 'go'] });
    expect(await answer('second')).toMatchObject({ ok: true, content: '[no output]' });
    expect(await answer('first')).toMatchObject({ ok: true, content: 'done\n' });
  });

  test('cuts long output in the middle', async () => {
    send({ id: 'a', exec: ['sh', '-c', 'echo begin; yes | head -c 1000000; echo end'] });
    const { content } = (await answer('a')) as Extract<SidecarMessage, { type: 'tool-result' }>;
    expect(Buffer.byteLength(content)).toBeLessThanOrEqual(32_768);
    expect(content).toMatch(/^begin\n[^]*\[output cut: 1000010 bytes, limit 32768; ask for less at once][^]*\nend\n$/);
  });

  test('ends at once when it is cancelled, with all that it has started', async () => {
    send({ id: 'a', exec: ['sh', '-c', 'touch started; sleep 3; touch survived'] });
    await eventually(() => existsSync(join(box, 'workspace', 'started')), 20_000);
    const cancel: ToSidecar = { v: 1, id: 'cancel', type: 'cancel' };
    bridge.write(cancel);
    expect(await once(runner, 'exit')).toEqual([0, null]);
    expect(existsSync(join(box, 'workspace', 'survived'))).toBe(false);
    expect(answers()).toEqual([]);
  });

  test('ends when its container is told to', async () => {
    send({ id: 'a', exec: ['true'] });
    await answer('a');
    runner.kill('SIGTERM');
    expect(await once(runner, 'exit')).toEqual([0, null]);
  });
});

test('A call that takes too long is stopped', async () => {
  const result = await runExec(['sleep', '60'], {
    workspace: box,
    variables: process.env,
    timeoutMs: 100,
    killGroup: (pid) => process.kill(-pid, 'SIGKILL'),
    signal: new AbortController().signal,
  });
  expect(result).toEqual({ ok: false, content: '\n[stopped: it took longer than 0.1 s]' });
});
