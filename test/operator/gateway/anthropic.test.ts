import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { LLMock } from '@copilotkit/aimock';
import { CANARY, eventsOf, startGateway, startUpstream, type Running } from './support.ts';

interface Chunk {
  readonly usage?: object;
  readonly choices: readonly {
    readonly finish_reason: string | null;
    readonly delta: {
      readonly role?: string;
      readonly content?: string;
      readonly tool_calls?: readonly { index: number; id?: string; function: { name?: string; arguments: string } }[];
    };
  }[];
}
interface Failure {
  readonly error: { readonly message: string; readonly code: string };
}

const PATH = '/v1/chat/completions';
const ask = (content: string, more: object = {}) => ({ messages: [{ role: 'user', content }], ...more });
const TOOLS = [
  {
    type: 'function',
    function: {
      name: 'write_file',
      description: 'Writes a file.',
      parameters: { type: 'object', properties: { path: { type: 'string' } }, required: ['path'] },
    },
  },
];

describe('Anthropic, spoken to as OpenAI', () => {
  const mock = new LLMock({ port: 0, host: '127.0.0.1' });
  let gateway: Running;

  beforeAll(async () => {
    mock.onMessage('refuse me', { error: { message: `invalid x-api-key ${CANARY}` }, status: 401 });
    mock.onMessage('too many', { error: { message: 'slow down' }, status: 429, retryAfter: 7 });
    mock.onMessage('broken', { error: { message: 'overloaded' }, status: 529 });
    mock.onMessage('cut', { content: 'x'.repeat(400) }, { chunkSize: 4, truncateAfterChunks: 8, latency: 5 });
    mock.onMessage('long', { content: 'too long', finishReason: 'length' });
    mock.on(
      { userMessage: 'tool', hasToolResult: false },
      {
        toolCalls: [
          { name: 'write_file', arguments: '{"path":"a.txt"}', id: 'toolu_1' },
          { name: 'write_file', arguments: '{}', id: 'toolu_2' },
        ],
      },
    );
    mock.on({ predicate: () => true }, { content: 'Hello from Claude' });
    await mock.start();
  });
  afterAll(() => mock.stop());
  beforeEach(async () => {
    mock.clearRequests();
    gateway = await startGateway({
      name: 'anthropic',
      model: 'claude-sonnet-4-5',
      baseURL: `${mock.url}/v1`,
      apiKeySecret: 'model-secret',
    });
  });
  afterEach(async () => {
    await gateway.stop();
    expect(gateway.logs.join('')).not.toContain(CANARY);
    expect(gateway.logs.join('')).not.toContain('Hello from Claude');
  });

  const chunksOf = (body: string): Chunk[] =>
    eventsOf(body)
      .filter((event) => event !== '[DONE]')
      .map((event) => JSON.parse(event) as Chunk);
  const sent = () => mock.getLastRequest() as { path: string; body: Record<string, unknown> };

  test('answers whole', async () => {
    const answer = await gateway.post(PATH, ask('hi', { model: 'ignored' }));
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({
      object: 'chat.completion',
      model: 'claude-sonnet-4-5',
      choices: [{ message: { role: 'assistant', content: 'Hello from Claude' }, finish_reason: 'stop' }],
      usage: { prompt_tokens: expect.any(Number), completion_tokens: expect.any(Number) },
    });
    expect(sent()).toMatchObject({ path: '/v1/messages', body: { model: 'claude-sonnet-4-5' } });
    expect(JSON.parse(await gateway.logged('Answered'))).toMatchObject({ inputTokens: expect.any(Number) });
  });

  test('answers as a stream', async () => {
    const answer = await gateway.post(PATH, ask('hi', { stream: true, stream_options: { include_usage: true } }));
    expect(answer.headers.get('content-type')).toBe('text/event-stream');
    const body = await answer.text();
    const chunks = chunksOf(body);
    expect(chunks[0]?.choices[0]?.delta).toEqual({ role: 'assistant', content: '' });
    expect(chunks.map(({ choices }) => choices[0]?.delta.content ?? '').join('')).toBe('Hello from Claude');
    expect(chunks.at(-2)?.choices[0]?.finish_reason).toBe('stop');
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { total_tokens: expect.any(Number) } });
    expect(eventsOf(body).at(-1)).toBe('[DONE]');
  });

  test('translates settings, system texts and messages', async () => {
    await gateway.post(PATH, {
      messages: [
        { role: 'system', content: 'You are an SRE.' },
        { role: 'user', content: [{ type: 'text', text: 'tool?' }] },
        {
          role: 'assistant',
          content: null,
          tool_calls: [
            { id: 'toolu_1', type: 'function', function: { name: 'write_file', arguments: '{"path":"a.txt"}' } },
            { id: 'toolu_2', type: 'function', function: { name: 'write_file', arguments: '' } },
          ],
        },
        { role: 'tool', tool_call_id: 'toolu_1', content: 'written' },
        { role: 'tool', tool_call_id: 'toolu_2', content: 'failed' },
      ],
      max_tokens: 77,
      temperature: 0.5,
      stop: 'END',
      tools: TOOLS,
      tool_choice: 'required',
    });
    // aimock shows what it received in OpenAI's spelling: that our translation survives its own is the test.
    expect(sent().body).toMatchObject({ max_tokens: 77, temperature: 0.5 });
    expect(sent().body.messages).toMatchObject([
      { role: 'system', content: 'You are an SRE.' },
      { role: 'user', content: 'tool?' },
      {
        role: 'assistant',
        tool_calls: [
          { id: 'toolu_1', function: { name: 'write_file', arguments: '{"path":"a.txt"}' } },
          { id: 'toolu_2', function: { name: 'write_file', arguments: '{}' } },
        ],
      },
      { role: 'tool', tool_call_id: 'toolu_1', content: 'written' },
      { role: 'tool', tool_call_id: 'toolu_2', content: 'failed' },
    ]);
    expect(sent().body.tools).toMatchObject([{ function: { name: 'write_file', description: 'Writes a file.' } }]);
  });

  test('sends Anthropic’s own wire, with the key and nothing of the run’s', async () => {
    const seen: { headers: object; body: unknown }[] = [];
    const upstream = await startUpstream((request, response) => {
      const parts: Buffer[] = [];
      request.on('data', (part: Buffer) => parts.push(part));
      request.on('end', () => {
        seen.push({ headers: request.headers, body: JSON.parse(Buffer.concat(parts).toString()) });
        response.writeHead(418).end('{"type":"error","error":{"type":"teapot","message":"short and stout"}}');
      });
    });
    const own = await startGateway({
      name: 'anthropic',
      model: 'claude-x',
      baseURL: upstream.url,
      apiKeySecret: 'model-secret',
    });
    const answer = await own.post(PATH, {
      ...ask('hi', { tools: TOOLS, stop: ['END'], max_completion_tokens: 9, parallel_tool_calls: false }),
      tool_choice: { type: 'function', function: { name: 'write_file' } },
    });
    expect([answer.status, await answer.json()]).toEqual([
      418,
      { error: { message: 'short and stout', type: 'teapot', code: 'teapot' } },
    ]);
    expect(seen[0]?.headers).toMatchObject({ 'x-api-key': CANARY, 'anthropic-version': '2023-06-01' });
    expect(seen[0]?.headers).not.toHaveProperty('authorization');
    expect(seen[0]?.body).toMatchObject({
      model: 'claude-x',
      max_tokens: 9,
      stop_sequences: ['END'],
      messages: [{ role: 'user', content: [{ type: 'text', text: 'hi' }] }],
      tools: [{ name: 'write_file', input_schema: { type: 'object', required: ['path'] } }],
      tool_choice: { type: 'tool', name: 'write_file', disable_parallel_tool_use: true },
    });
    await own.stop();
    await upstream.stop();
  });

  test('answers with tool calls, whole', async () => {
    const answer = await gateway.post(PATH, ask('tool', { tools: TOOLS }));
    expect(await answer.json()).toMatchObject({
      choices: [
        {
          finish_reason: 'tool_calls',
          message: {
            content: null,
            tool_calls: [
              { id: 'toolu_1', type: 'function', function: { name: 'write_file', arguments: '{"path":"a.txt"}' } },
              { id: 'toolu_2', function: { arguments: '{}' } },
            ],
          },
        },
      ],
    });
  });

  test('answers with tool calls, as a stream', async () => {
    const chunks = chunksOf(await (await gateway.post(PATH, ask('tool', { tools: TOOLS, stream: true }))).text());
    const calls = new Map<number, { id?: string | undefined; name?: string | undefined; arguments: string }>();
    for (const { index, id, function: part } of chunks.flatMap(({ choices }) => choices[0]?.delta.tool_calls ?? [])) {
      const known = calls.get(index) ?? { id, name: part.name, arguments: '' };
      calls.set(index, { ...known, arguments: known.arguments + part.arguments });
    }
    expect([...calls]).toEqual([
      [0, { id: 'toolu_1', name: 'write_file', arguments: '{"path":"a.txt"}' }],
      [1, { id: 'toolu_2', name: 'write_file', arguments: '{}' }],
    ]);
    expect(chunks.at(-1)?.choices[0]?.finish_reason).toBe('tool_calls');
  });

  test('an answer that reached its limit says so', async () => {
    const answer = await gateway.post(PATH, ask('long'));
    expect(await answer.json()).toMatchObject({ choices: [{ finish_reason: 'length' }] });
  });

  test('a key that is refused ends the run, and an echo of it is blackened', async () => {
    for (const stream of [false, true]) {
      const answer = await gateway.post(PATH, ask('refuse me', { stream }));
      expect(answer.status).toBe(401);
      expect(answer.headers.get('x-sympozium-reason')).toBe('ModelError');
      expect(answer.headers.get('x-should-retry')).toBe('false');
      expect(((await answer.json()) as Failure).error.message).toBe(`invalid x-api-key ${'*'.repeat(CANARY.length)}`);
    }
  });

  test.each([
    ['too many', 429, 'slow down'],
    ['broken', 529, 'overloaded'],
  ])('an error of the provider is passed on: %s', async (question, status, message) => {
    for (const stream of [false, true]) {
      const answer = await gateway.post(PATH, ask(question, { stream }));
      expect(answer.status).toBe(status);
      if (status === 429) expect(answer.headers.get('retry-after')).toBe('7');
      expect(((await answer.json()) as Failure).error.message).toBe(message);
    }
  });

  test('an answer that is cut looks cut', async () => {
    const answer = await gateway.post(PATH, ask('cut', { stream: true }));
    expect(answer.status).toBe(200);
    await expect(answer.text()).rejects.toThrow();
    await gateway.logged('"Cut"');
  });

  test('an error within the stream is told, and then the answer is cut', async () => {
    const events = [
      { type: 'message_start', message: { id: 'msg_1', usage: { input_tokens: 1, output_tokens: 1 } } },
      { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
      { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'begun' } },
      { type: 'error', error: { type: 'overloaded_error', message: `Overloaded ${CANARY}` } },
    ];
    const upstream = await startUpstream((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      for (const data of events) response.write(`event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`);
    });
    const own = await startGateway({
      name: 'anthropic',
      model: 'm',
      baseURL: upstream.url,
      apiKeySecret: 'model-secret',
    });
    const answer = await own.post(PATH, ask('hi', { stream: true }));
    const received: string[] = [];
    const read = async () => {
      const decoder = new TextDecoder();
      for await (const piece of answer.body ?? []) received.push(decoder.decode(piece as Uint8Array));
    };
    await expect(read()).rejects.toThrow();
    expect(received.join('')).toContain('begun');
    expect(received.join('')).not.toContain('[DONE]');
    expect(received.join('')).not.toContain(CANARY);
    expect(await own.logged('"Cut"')).not.toContain(CANARY);
    await own.stop();
    await upstream.stop();
  });

  test('a provider that cannot be reached is named', async () => {
    const upstream = await startUpstream(() => undefined);
    await upstream.stop();
    const own = await startGateway({ name: 'anthropic', model: 'm', baseURL: upstream.url });
    const answer = await own.post(PATH, ask('hi'));
    expect(answer.status).toBe(502);
    expect(((await answer.json()) as Failure).error.message).toContain('could not be reached: connect ECONNREFUSED');
    await own.stop();
  });

  test('a run that goes away stops the provider', async () => {
    let stopped: (() => void) | undefined;
    let begun: (() => void) | undefined;
    const closed = new Promise<void>((resolve) => (stopped = resolve));
    const asked = new Promise<void>((resolve) => (begun = resolve));
    const upstream = await startUpstream((_request, response) => {
      response.once('close', () => stopped?.());
      begun?.();
    });
    const own = await startGateway({ name: 'anthropic', model: 'm', baseURL: upstream.url });
    const client = new AbortController();
    const call = fetch(`${own.url}${PATH}`, {
      method: 'POST',
      headers: { authorization: 'Bearer token-of-run-hello' },
      body: JSON.stringify(ask('hi', { stream: true })),
      signal: client.signal,
    });
    await asked;
    client.abort();
    await expect(call).rejects.toThrow();
    await closed;
    await own.stop();
    await upstream.stop();
  });

  test('what cannot be translated is told', async () => {
    const image = { messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'x' } }] }] };
    const answer = await gateway.post(PATH, image);
    expect(answer.status).toBe(400);
    expect(((await answer.json()) as Failure).error.message).toContain('messages.0.content');
    const responses = await gateway.post('/v1/responses', { input: 'hi' });
    expect([responses.status, ((await responses.json()) as Failure).error.message]).toEqual([
      404,
      expect.stringContaining("provider 'anthropic' has no '/v1/responses'"),
    ]);
    const models = await fetch(`${gateway.url}/v1/models`, { headers: { authorization: 'Bearer token-of-run-hello' } });
    expect(await models.json()).toMatchObject({ data: [{ id: 'claude-sonnet-4-5' }] });
  });
});
