import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { PromptTooLong, type Generator, type Prompt } from './generator.ts';
import { createModelServer } from './http.ts';

const ask = (more: object = {}) => JSON.stringify({ messages: [{ role: 'user', content: 'hi' }], ...more });

describe('the model server', () => {
  const prompts: Prompt[] = [];
  let server: Server | undefined;
  afterEach(() => {
    prompts.length = 0;
    server?.closeAllConnections();
    server?.close();
  });

  async function start(generate: (prompt: Prompt) => Promise<void> = () => Promise.resolve()): Promise<string> {
    const generator: Generator = {
      name: 'fake',
      async generate(prompt) {
        prompts.push(prompt);
        await generate(prompt);
        prompt.onText('Hello ');
        prompt.onText('world');
        return { text: 'Hello world', finishReason: 'length', promptTokens: 3, completionTokens: 2 };
      },
    };
    server = createModelServer(generator).listen(0, '127.0.0.1');
    await once(server, 'listening');
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/chat/completions`;
  }
  const post = (url: string, body: string, signal: AbortSignal | null = null) =>
    fetch(url, { method: 'POST', body, signal });

  test('answers whole, with bounds of its own', async () => {
    const url = await start();
    const messages = [
      {
        role: 'developer',
        content: [
          { type: 'text', text: 'be' },
          { type: 'text', text: ' brief' },
        ],
      },
      { role: 'assistant', content: null, tool_calls: [] },
      { role: 'tool', content: '3', tool_call_id: 'a' },
    ];
    const answer = await post(url, ask({ messages, max_tokens: 5000, stop: 'END', tools: [{}], temperature: 2 }));
    expect(await answer.json()).toMatchObject({
      object: 'chat.completion',
      choices: [{ message: { role: 'assistant', content: 'Hello world' }, finish_reason: 'length' }],
      usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 },
    });
    expect(prompts[0]).toMatchObject({
      maxTokens: 160,
      stop: ['END'],
      messages: [
        { role: 'system', content: 'be brief' },
        { role: 'assistant', content: '' },
        { role: 'user', content: 'Result of the tool: 3' },
      ],
    });
  });

  test('answers as a stream', async () => {
    const url = await start();
    const answer = await post(url, ask({ stream: true, stream_options: { include_usage: true } }));
    const events = (await answer.text())
      .trim()
      .split('\n\n')
      .map((line) => line.slice('data: '.length));
    expect(events.pop()).toBe('[DONE]');
    expect(events.map((event) => JSON.parse(event) as object)).toMatchObject([
      { choices: [{ delta: { role: 'assistant', content: '' } }] },
      { choices: [{ delta: { content: 'Hello ' } }] },
      { choices: [{ delta: { content: 'world' } }] },
      { choices: [{ delta: {}, finish_reason: 'length' }] },
      { choices: [], usage: { total_tokens: 5 } },
    ]);
  });

  test('refuses what is no request, and prompts that are too long', async () => {
    const url = await start(() => Promise.reject(new PromptTooLong('9000 tokens')));
    expect((await post(url, '{')).status).toBe(400);
    expect((await post(url, '{"messages":[]}')).status).toBe(400);
    const long = await post(url, ask());
    expect([long.status, await long.json()]).toMatchObject([400, { error: { code: 'context_length_exceeded' } }]);
    expect((await fetch(new URL('/', url))).status).toBe(404);
  });

  test('answers one at a time, and sends away whom it cannot serve soon', async () => {
    let release: (() => void) | undefined;
    const gate = new Promise<void>((resolve) => (release = resolve));
    let [running, most, refused] = [0, 0, 0];
    const url = await start(async () => {
      most = Math.max(most, ++running);
      await gate;
      running -= 1;
    });
    const answers = Array.from({ length: 30 }, async () => {
      const { status } = await post(url, ask());
      if (status === 429 && ++refused === 13) release?.();
      return status;
    });
    const statuses = await Promise.all(answers);
    // One that is answered and 16 that wait.
    expect(statuses.filter((status) => status === 200)).toHaveLength(17);
    expect(most).toBe(1);
  });

  test('stops when the caller goes away', async () => {
    const client = new AbortController();
    let stopped: (() => void) | undefined;
    const aborted = new Promise<void>((resolve) => (stopped = resolve));
    const url = await start(({ signal }) => {
      signal.addEventListener('abort', () => stopped?.());
      client.abort();
      return aborted;
    });
    await expect(post(url, ask(), client.signal)).rejects.toThrow();
    await aborted;
  });
});
