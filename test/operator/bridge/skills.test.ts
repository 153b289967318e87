import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { calls, says } from './fake-gateway.ts';
import { Cluster, type TestRun } from './harness.ts';

const RUNNER = join(import.meta.dirname, '../../../operator/main/skill.ts');
const SKILL = {
  name: 'words',
  tools: [
    {
      name: 'join_words',
      description: 'Joins words.',
      parameters: {
        type: 'object',
        properties: { first: { type: 'string', minLength: 1 }, second: { type: 'string' } },
        required: ['first'],
        additionalProperties: false,
      },
      exec: ['printf', '<%s>', '{first}', '{second}'],
    },
  ],
};

describe('a skill, from the model to its program and back', () => {
  let cluster: Cluster;
  const runners: ChildProcess[] = [];
  beforeAll(async () => {
    cluster = await Cluster.start();
  });
  afterAll(async () => {
    for (const runner of runners) runner.kill('SIGKILL');
    await cluster.stop();
  });

  const startRunner = (run: TestRun): ChildProcess => {
    const mailbox = join(run.mailboxes, 'skill-words');
    const env = { PATH: process.env.PATH, SYMPOZIUM_MAILBOX: mailbox };
    const runner = spawn(process.execPath, ['--no-warnings', RUNNER], { cwd: mailbox, env, stdio: 'ignore' });
    runners.push(runner);
    return runner;
  };
  const told = (run: TestRun) =>
    run.gateway.seen.at(-1)?.body.messages.flatMap(({ role, content }) => (role === 'tool' ? [content] : []));

  test('its tools are offered, called with words as they are, and the sidecar ends with the run', async () => {
    const run = await cluster.run({
      skills: [SKILL],
      replies: [
        calls(
          ['join_words', { first: '$(id) ; a', second: '--flag' }],
          ['join_words', { first: 'alone', second: null }],
        ),
        says('done'),
      ],
    });
    const runner = startRunner(run);
    expect(await run.result()).toMatchObject({ outcome: 'succeeded', usage: { toolCalls: 2 } });
    expect(run.gateway.seen[0]?.body.tools?.map((tool) => tool.function.name)).toContain('join_words');
    expect(told(run)).toEqual(['<$(id) ; a><--flag>', '<alone>']);
    if (runner.exitCode === null) await once(runner, 'exit');
    expect(runner.exitCode).toBe(0);
  }, 30_000);

  test('a call with wrong arguments reaches no program, and the model is told what to change', async () => {
    const run = await cluster.run({
      skills: [SKILL],
      replies: [calls(['join_words', { first: '', third: 1 }]), says('done')],
    });
    await run.result();
    expect(told(run)?.[0]).toContain(
      "Tool 'join_words' could not be called: argument 'first' has 0 characters, expected at least 1; argument 'third' is not known, expected only first, second",
    );
  }, 30_000);
});
