import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { calls, says } from './fake-gateway.ts';
import { Cluster } from './harness.ts';

describe('a run with agent-runner', () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await Cluster.start();
  });
  afterAll(() => cluster.stop());

  test('answers in one call', async () => {
    const run = await cluster.run({ replies: [says('Hello to you.')], input: 'Hello?', systemPrompt: 'Be kind.' });
    expect(await run.result()).toEqual({
      v: 1,
      uid: run.uid,
      outcome: 'succeeded',
      output: 'Hello to you.',
      outputBytes: 13,
      usage: { inputTokens: 10, outputTokens: 5, modelCalls: 1, toolCalls: 0 },
    });
    await run.ended;
    if (run.agent?.exitCode === null) await once(run.agent, 'exit');
    expect(run.agent?.exitCode).toBe(0);
    expect(run.stdout).toBe('Hello to you.\n');
    expect(run.gateway.seen[0]?.body.messages).toEqual([
      { role: 'system', content: 'Be kind.' },
      { role: 'user', content: 'Hello?' },
    ]);
    expect(run.gateway.seen[0]?.authorization).toBe(`Bearer gateway-token-of-${run.name}`);
    expect(run.gateway.warmed).toEqual([`Bearer gateway-token-of-${run.name}`]);
    expect(readdirSync(join(run.mailbox, 'out'))).toEqual([]);
    const events = await run.events();
    expect(events[0]?.type).toBe('started');
    expect(events.map((event) => (event.type === 'delta' ? event.text : '')).join('')).toBe('Hello to you.');
  });

  test('calls tools, those of one turn together, and goes on with their results', async () => {
    const run = await cluster.run({
      replies: [
        calls(
          ['write_file', { path: 'a/notes.txt', content: 'from the model' }],
          ['execute_command', { command: 'echo out; echo err >&2; exit 3' }],
        ),
        calls(['read_file', { path: 'a/notes.txt' }], ['list_directory', {}]),
        says('done'),
      ],
    });
    expect(await run.result()).toMatchObject({
      outcome: 'succeeded',
      output: 'done',
      usage: { inputTokens: 30, outputTokens: 15, modelCalls: 3, toolCalls: 4 },
    });
    const told = run.gateway.seen[2]?.body.messages.filter(({ role }) => role === 'tool').map(({ content }) => content);
    expect(told).toEqual([
      `Wrote 14 bytes to ${join(run.mailbox, 'workspace/a/notes.txt')}.`,
      expect.stringMatching(/^(out\nerr|err\nout)\n\n\[exit code 3\]$/),
      'from the model',
      'a/',
    ]);
    expect(readFileSync(join(run.mailbox, 'workspace/a/notes.txt'), 'utf8')).toBe('from the model');
    expect(run.gateway.seen[0]?.body.tools?.map((tool) => tool.function.name)).toEqual([
      'execute_command',
      'read_file',
      'write_file',
      'list_directory',
      'fetch_url',
    ]);
    await run.ended;
    const states = (await run.events()).flatMap((event) =>
      event.type === 'tool' ? [`${event.tool} ${event.state}`] : [],
    );
    expect(states.filter((state) => state.endsWith('dispatched'))).toHaveLength(4);
    expect(states.filter((state) => state.endsWith('succeeded'))).toHaveLength(4);
  });
});
