import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { LLMock } from '@copilotkit/aimock';
import { CANARY, eventsOf, startGateway, startUpstream, type Running } from './support.ts';

interface Chunk {
  readonly choices: readonly { readonly delta: { readonly content?: string; readonly tool_calls?: unknown[] } }[];
}
interface Failure {
  readonly error: { readonly message: string; readonly code: string };
}

const ask = (content: string, more: object = {}) => ({
  model: 'gpt-4o',
  messages: [{ role: 'user', content }],
  ...more,
});
const textOf = (body: string): string =>
  eventsOf(body)
    .filter((event) => event !== '[DONE]')
    .map((event) => (JSON.parse(event) as Chunk).choices[0]?.delta.content ?? '')
    .join('');

describe('a provider with OpenAI’s wire', () => {
  const mock = new LLMock({ port: 0, host: '127.0.0.1' });
  let gateway: Running;
  let seenKeys: (string | undefined)[] = [];

  beforeAll(async () => {
    mock.onMessage('tool', { toolCalls: [{ name: 'write_file', arguments: '{"path":"a.txt"}', id: 'call_1' }] });
    mock.onMessage('refuse me', { error: { message: `key ${CANARY} is wrong` }, status: 401 });
    mock.onMessage('too many', { error: { message: 'slow down' }, status: 429, retryAfter: 7 });
    mock.onMessage('broken', { error: { message: 'oops' }, status: 500 });
    mock.onMessage('cut', { content: 'x'.repeat(400) }, { chunkSize: 4, truncateAfterChunks: 3, latency: 5 });
    mock.onMessage('slow', { content: 'one two three four' }, { chunkSize: 4, latency: 40 });
    mock.on({ inputText: 'embed me', endpoint: 'embedding' }, { embedding: [0.5, 0.25] });
    mock.on({ predicate: () => true }, { content: 'Hello from the model' });
    await mock.start();
  });
  afterAll(() => mock.stop());
  beforeEach(async () => {
    mock.clearRequests();
    gateway = await startGateway({
      name: 'openai',
      model: 'model-of-the-instance',
      baseURL: `${mock.url}/v1`,
      apiKeySecret: 'model-secret',
    });
  });
  afterEach(async () => {
    await gateway.stop();
    expect(gateway.logs.join('')).not.toContain(CANARY);
  });

  test('answers whole, and the tokens are logged', async () => {
    const answer = await gateway.post('/v1/chat/completions', ask('hi'));
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({
      choices: [{ message: { content: 'Hello from the model' } }],
    });
    const line = JSON.parse(await gateway.logged('Answered')) as Record<string, unknown>;
    expect(line).toMatchObject({
      run: 'default/hello',
      provider: 'openai',
      model: 'model-of-the-instance',
      status: 200,
    });
    expect(line).toMatchObject({ inputTokens: expect.any(Number), outputTokens: expect.any(Number) });
    expect(gateway.logs.join('')).not.toContain('Hello');
  });

  test('answers as a stream', async () => {
    const answer = await gateway.post('/v1/chat/completions', ask('hi', { stream: true }));
    expect(answer.headers.get('content-type')).toContain('text/event-stream');
    const body = await answer.text();
    expect(textOf(body)).toBe('Hello from the model');
    expect(eventsOf(body).at(-1)).toBe('[DONE]');
  });

  test('passes each piece on when it comes', async () => {
    const answer = await gateway.post('/v1/chat/completions', ask('slow', { stream: true }));
    const times: number[] = [];
    const reader = (answer.body ?? new ReadableStream<Uint8Array>()).getReader();
    while (!(await reader.read()).done) times.push(performance.now());
    expect(times.length).toBeGreaterThan(3);
    expect((times.at(-1) ?? 0) - (times[0] ?? 0)).toBeGreaterThan(80);
  });

  test('passes tool calls through', async () => {
    const tools = [{ type: 'function', function: { name: 'write_file', parameters: { type: 'object' } } }];
    const answer = await gateway.post('/v1/chat/completions', ask('tool', { tools }));
    expect(await answer.json()).toMatchObject({
      choices: [{ finish_reason: 'tool_calls', message: { tool_calls: [{ function: { name: 'write_file' } }] } }],
    });
    expect(mock.getLastRequest()?.body).toMatchObject({ tools });
  });

  test('asks for the model of the instance, whichever the run names', async () => {
    await gateway.post('/v1/chat/completions', `{"model":"a","messages":[{"role":"user","content":"hi"}],"model":"b"}`);
    expect(mock.getLastRequest()?.body).toMatchObject({ model: 'model-of-the-instance' });
    await gateway.post('/v1/embeddings', { model: 'x', input: 'embed me' });
    expect(mock.getLastRequest()).toMatchObject({ path: '/v1/embeddings', body: { model: 'model-of-the-instance' } });
  });

  test('serves responses, embeddings and models too', async () => {
    const responses = await gateway.post('/v1/responses', { model: 'x', input: 'hi' });
    expect(await responses.json()).toMatchObject({ object: 'response', output: [{ type: 'message' }] });
    const embeddings = await gateway.post('/v1/embeddings', { model: 'x', input: 'embed me' });
    expect(await embeddings.json()).toMatchObject({ data: [{ embedding: [0.5, 0.25] }] });
    const models = await fetch(`${gateway.url}/v1/models`, { headers: { authorization: 'Bearer token-of-run-hello' } });
    expect(await models.json()).toMatchObject({ object: 'list' });
  });

  test('a key that is refused ends the run, and an echo of it is blackened', async () => {
    const answer = await gateway.post('/v1/chat/completions', ask('refuse me'));
    expect(answer.status).toBe(401);
    expect(answer.headers.get('x-sympozium-reason')).toBe('ModelError');
    expect(answer.headers.get('x-should-retry')).toBe('false');
    const text = await answer.text();
    expect((JSON.parse(text) as Failure).error.message).toBe(`key ${'*'.repeat(CANARY.length)} is wrong`);
  });

  test.each([
    ['too many', 429, 'slow down'],
    ['broken', 500, 'oops'],
  ])('an error of the provider is passed on: %s', async (question, status, message) => {
    const answer = await gateway.post('/v1/chat/completions', ask(question));
    expect(answer.status).toBe(status);
    expect(answer.headers.get('x-sympozium-reason')).toBe('ModelError');
    if (status === 429) expect(answer.headers.get('retry-after')).toBe('7');
    expect(((await answer.json()) as Failure).error.message).toBe(message);
  });

  test('an answer that is cut looks cut', async () => {
    const answer = await gateway.post('/v1/chat/completions', ask('cut', { stream: true }));
    expect(answer.status).toBe(200);
    await expect(answer.text()).rejects.toThrow();
    expect(await gateway.logged('"Cut"')).toContain('default/hello');
  });

  test('many streams at once', async () => {
    const answers = await Promise.all(
      Array.from({ length: 40 }, () => gateway.post('/v1/chat/completions', ask('slow', { stream: true }))),
    );
    const texts = await Promise.all(answers.map((answer) => answer.text()));
    expect(new Set(texts.map(textOf))).toEqual(new Set(['one two three four']));
    expect(gateway.cluster.calls).toMatchObject({ reviewToken: 1, run: 1, secret: 40 });
  });

  test('warms up: everything but the Secret is looked up', async () => {
    const answer = await fetch(`${gateway.url}/v1/warm`, { headers: { authorization: 'Bearer token-of-run-hello' } });
    expect(answer.status).toBe(204);
    expect(gateway.cluster.calls).toMatchObject({ reviewToken: 1, run: 1, secret: 0 });
    await (await gateway.post('/v1/chat/completions', ask('hi'))).text();
    expect(gateway.cluster.calls).toMatchObject({ reviewToken: 1, run: 1, secret: 1 });
  });

  test('the key goes to the provider, and the run’s token does not', async () => {
    const upstream = await startUpstream((request, response) => {
      seenKeys.push(request.headers.authorization, request.headers.cookie, request.headers['x-custom']?.toString());
      response.end('{}');
    });
    seenKeys = [];
    const own = await startGateway({ name: 'openai', model: 'm', baseURL: upstream.url, apiKeySecret: 'model-secret' });
    await own.post('/v1/chat/completions', ask('hi'), { headers: { cookie: 'a=b', 'x-custom': 'kept' } });
    expect(seenKeys).toEqual([`Bearer ${CANARY}`, undefined, 'kept']);
    await own.stop();
    seenKeys = [];
    const keyless = await startGateway({ name: 'openai', model: 'm', baseURL: upstream.url });
    await keyless.post('/v1/chat/completions', ask('hi'));
    expect(seenKeys[0]).toBeUndefined();
    expect(keyless.cluster.calls.secret).toBe(0);
    await keyless.stop();
    await upstream.stop();
  });
});
