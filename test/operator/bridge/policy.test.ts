import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { calls, says } from './fake-gateway.ts';
import { effective } from '../../support/objects.ts';
import { Cluster } from './harness.ts';

describe('tools, as the policy has them', () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await Cluster.start();
  });
  afterAll(() => cluster.stop());

  const told = (run: Awaited<ReturnType<Cluster['run']>>) =>
    run.gateway.seen.at(-1)?.body.messages.flatMap(({ role, content }) => (role === 'tool' ? [content] : []));

  test('a denied tool is not offered, and a call to it changes nothing', async () => {
    const layer = { source: "policy 'strict'", deny: ['write_file'], approve: [] };
    const run = await cluster.run({
      policy: effective('strict', [layer]),
      replies: [calls(['write_file', { path: 'x', content: 'y' }]), says('could not')],
    });
    expect(await run.result()).toMatchObject({ outcome: 'succeeded', usage: { modelCalls: 2, toolCalls: 0 } });
    expect(run.gateway.seen[0]?.body.tools?.map((tool) => tool.function.name)).not.toContain('write_file');
    expect(told(run)).toEqual([
      "Tool 'write_file' was denied: policy 'strict' denies it. Do not try it again; work without it, or say that you can not.",
    ]);
    expect(existsSync(join(run.mailbox, 'workspace/x'))).toBe(false);
    await run.ended;
    expect(await run.events()).toContainEqual(
      expect.objectContaining({
        type: 'tool',
        tool: 'write_file',
        state: 'denied',
        because: "policy 'strict' denies it",
      }),
    );
  });

  test('an allow-list denies everything else', async () => {
    const layer = { source: "policy 'narrow'", allow: ['read_file'], deny: [], approve: [] };
    const run = await cluster.run({
      policy: effective('narrow', [layer]),
      replies: [calls(['execute_command', { command: 'touch x' }]), says('ok')],
    });
    await run.result();
    expect(run.gateway.seen[0]?.body.tools?.map((tool) => tool.function.name)).toEqual(['read_file']);
    expect(told(run)?.[0]).toContain("policy 'narrow' does not list it as allowed");
    expect(existsSync(join(run.mailbox, 'workspace/x'))).toBe(false);
  });

  test('T6 a tool that nobody carries out is never confirmed', async () => {
    const run = await cluster.run({
      replies: [
        calls(['schedule_task', { schedule: '* * * * *', task: 'again' }], ['send_channel_message', { text: 'hi' }]),
        says('ok'),
      ],
    });
    await run.result();
    expect(run.gateway.seen[0]?.body.tools?.map((tool) => tool.function.name)).not.toContain('schedule_task');
    expect([...(told(run) ?? [])].sort()).toEqual([
      expect.stringMatching(/^There is no tool 'schedule_task'/),
      expect.stringMatching(/^There is no tool 'send_channel_message'/),
    ]);
  });

  test('an unknown tool is answered with those there are', async () => {
    const run = await cluster.run({ replies: [calls(['launch_rocket', {}]), says('ok')] });
    await run.result();
    expect(told(run)).toEqual([
      "There is no tool 'launch_rocket'. Available tools: execute_command, read_file, write_file, list_directory, fetch_url.",
    ]);
  });

  test('arguments that are not JSON are explained to the model, and cost no call', async () => {
    const run = await cluster.run({ replies: [calls(['read_file', '{"path": '], ['read_file', '[1]']), says('ok')] });
    expect(await run.result()).toMatchObject({ outcome: 'succeeded', usage: { toolCalls: 0 } });
    expect(told(run)?.[0]).toMatch(
      /^The arguments of read_file are not a JSON object: .* Call it again with correct JSON\.$/,
    );
    expect(told(run)?.[1]).toContain('got an array');
  });

  test("a tool's long result is cut", async () => {
    const run = await cluster.run({
      agent: 'none',
      policy: effective('any'),
    });
    const writer = run.writer();
    writer.write({ v: 1, id: 'a', type: 'tool-call', tool: 'read_file', arguments: { path: 'x' } } as never);
    const find = (type: string) => () => run.inbox().find((message) => message.type === type);
    const { eventually } = await import('../../support/eventually.ts');
    expect(await eventually(find('tool-call'))).toEqual({
      v: 1,
      id: 'a',
      type: 'tool-call',
      tool: 'read_file',
      arguments: { path: 'x' },
    });
    writer.write({ v: 1, id: 'a', type: 'tool-result', ok: true, content: 'ü'.repeat(100_000) } as never);
    const result = await eventually(find('tool-result'));
    expect(Buffer.byteLength(String(result.content))).toBeLessThanOrEqual(32_768);
    expect(String(result.content)).toMatch(/ü\n\[tool result cut: 200000 bytes, limit 32768\]$/);
  });
});
