import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { LLMock } from '@copilotkit/aimock';
import { eventually } from '../../support/eventually.ts';
import { calls, FakeGateway, fails, says, saysAtOnce } from './fake-gateway.ts';
import { freePort } from '../../support/free-port.ts';
import { Cluster } from './harness.ts';

jest.setTimeout(30_000);

describe('model calls', () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await Cluster.start();
  });
  afterAll(() => cluster.stop());

  const completions = (url: string, body: object | string, headers: Record<string, string> = {}) =>
    fetch(`${url}/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });

  test('a wire-exact OpenAI server: loop with a tool, and its own count of tokens', async () => {
    const model = new LLMock({ port: 0 });
    model.on(
      { userMessage: 'how many', hasToolResult: false },
      {
        toolCalls: [{ name: 'execute_command', arguments: JSON.stringify({ command: 'echo $((6*7))' }) }],
      },
    );
    model.on({ userMessage: 'how many', hasToolResult: true }, { content: 'It is 42.' });
    await model.start();
    const run = await cluster.run({ gatewayUrl: model.url, input: 'how many?' });
    const result = await run.result();
    expect(result).toMatchObject({ outcome: 'succeeded', output: 'It is 42.', usage: { modelCalls: 2, toolCalls: 1 } });
    expect(result.usage.inputTokens).toBeGreaterThan(0);
    expect(result.usage.outputTokens).toBeGreaterThan(0);
    await model.stop();
  });

  test('a server that does not stream', async () => {
    const run = await cluster.run({ replies: [saysAtOnce('All at once.')] });
    expect(await run.result()).toMatchObject({
      output: 'All at once.',
      usage: { inputTokens: 10, outputTokens: 5, modelCalls: 1 },
    });
  });

  test('a missing credential is the reason of the run, and is not asked for again', async () => {
    const message = "Secret 'openai-secret' does not exist in namespace 'test': create it with key apiKey";
    const run = await cluster.run({
      replies: [fails(424, message, { 'x-sympozium-reason': 'CredentialsNotFound', 'x-should-retry': 'false' })],
    });
    expect(await run.result()).toMatchObject({ outcome: 'failed', reason: 'CredentialsNotFound', message });
    expect(run.gateway.seen).toHaveLength(1);
  });

  test("a provider's error is tried again, then the reason of the run", async () => {
    const run = await cluster.run({ replies: [fails(503, 'overloaded', { 'retry-after': '0.01' })] });
    expect(await run.result()).toMatchObject({
      outcome: 'failed',
      reason: 'ModelError',
      message: expect.stringMatching(/503: overloaded$/) as unknown,
    });
    expect(run.gateway.seen).toHaveLength(3);
    expect(run.stderr).toContain('the model call failed with HTTP status 503: overloaded');
  });

  test('an error that passes is no failure', async () => {
    const run = await cluster.run({ replies: [fails(429, 'slow down', { 'retry-after': '0.01' }), says('there')] });
    expect(await run.result()).toMatchObject({ outcome: 'succeeded', output: 'there', usage: { modelCalls: 2 } });
  });

  test('an answer that breaks off is asked for again', async () => {
    const run = await cluster.run({
      replies: [
        (response) => {
          response.writeHead(200, { 'content-type': 'text/event-stream' });
          response.write(`data: ${JSON.stringify({ choices: [{ delta: { content: 'half' } }] })}\n\n`, () => {
            response.destroy();
          });
        },
        says('whole'),
      ],
    });
    expect(await run.result()).toMatchObject({ outcome: 'succeeded', output: 'whole' });
  });

  test('an error in the middle of a stream is the reason of the run', async () => {
    const run = await cluster.run({
      replies: [
        (response) => {
          response.writeHead(200, { 'content-type': 'text/event-stream' });
          response.end(`data: ${JSON.stringify({ error: { message: 'the GPU melted' } })}\n\n`);
        },
      ],
    });
    expect(await run.result()).toMatchObject({ outcome: 'failed', reason: 'ModelError', message: 'the GPU melted' });
  });

  test('an empty answer is an error of the agent', async () => {
    const run = await cluster.run({ replies: [says('')] });
    expect(await run.result()).toMatchObject({
      outcome: 'failed',
      reason: 'AgentError',
      message: 'the model answered with nothing (finish reason stop)',
    });
  });

  test('agent-runner stops at the limit of model calls', async () => {
    const run = await cluster.run({ modelCalls: 3, replies: [calls(['list_directory', {}])] });
    expect(await run.result()).toMatchObject({
      outcome: 'failed',
      reason: 'ModelCallLimit',
      message: expect.stringContaining('all of its 3 model calls'),
      usage: { modelCalls: 3, toolCalls: 2 },
    });
  });

  test('the bridge enforces the limit on an agent that does not', async () => {
    const run = await cluster.run({ agent: 'none', modelCalls: 2, replies: [says('hm')] });
    const body = { model: 'fake', messages: [] };
    for (const status of [200, 200, 429]) expect((await completions(run.url, body)).status).toBe(status);
    expect(await run.result()).toMatchObject({ outcome: 'failed', reason: 'ModelCallLimit', usage: { modelCalls: 2 } });
    await run.ended;
    expect(run.gateway.seen).toHaveLength(2);
    expect(run.inbox().at(-1)).toMatchObject({ type: 'cancel' });
  });

  test("the agent's own credentials and hop headers do not get to the gateway; the run's token does", async () => {
    const run = await cluster.run({ agent: 'none', replies: [says('hm')] });
    const sent = {
      authorization: 'Bearer stolen',
      'x-api-key': 'stolen',
      'x-sympozium-run': 'another',
      'x-own': 'kept',
    };
    const answer = await completions(run.url, { stream: true, messages: [] }, sent);
    const text = await answer.text();
    expect(run.gateway.seen[0]?.headers).toMatchObject({
      authorization: `Bearer gateway-token-of-${run.name}`,
      'x-own': 'kept',
    });
    expect(JSON.stringify(run.gateway.seen[0]?.headers)).not.toMatch(/stolen|another/);
    expect(run.gateway.seen[0]?.body.stream_options).toEqual({ include_usage: true });
    expect(text).not.toContain('"choices":[]'); // the agent hadn't asked for the chunk with the usage
    expect(text).toContain('[DONE]');
  });

  test('a client that asks for the usage gets it', async () => {
    const run = await cluster.run({ agent: 'none', replies: [says('hm')] });
    const body = { stream: true, stream_options: { include_usage: true }, messages: [] };
    expect(await (await completions(run.url, body)).text()).toContain('"prompt_tokens":10');
  });

  test('what is not below /v1/, or is too large, is refused', async () => {
    const run = await cluster.run({ agent: 'none', replies: [says('hm')] });
    const root = run.url.replace('/v1', '');
    for (const path of ['/check', '/v1/../check', '/v1/%2e%2e/check', '//evil/v1/x']) {
      expect((await fetch(root + path)).status).toBe(404);
    }
    expect((await fetch(`${run.url}/models`, { method: 'DELETE' })).status).toBe(404);
    const large = await completions(run.url, 'x'.repeat(9 * 1024 * 1024));
    expect([large.status, await large.json()]).toMatchObject([413, { error: { code: 'request_too_large' } }]);
    expect(run.gateway.seen).toHaveLength(0);
    expect((await fetch(`${run.url}/models?a=b`)).status).toBe(200);
    expect(run.gateway.seen[0]?.path).toBe('/v1/models?a=b');
  });

  test('one connection serves many calls', async () => {
    const run = await cluster.run({ agent: 'none', replies: [says('hm')], modelCalls: 100 });
    await eventually(() => run.gateway.warmed.length === 1);
    for (let count = 0; count < 20; count += 1)
      await (await completions(run.url, { stream: true, messages: [] })).text();
    expect(run.gateway.connections).toBeLessThanOrEqual(2);
  });

  test('a gateway that is just being replaced costs time, not the run', async () => {
    const port = await freePort();
    const run = await cluster.run({ gatewayUrl: `http://127.0.0.1:${port}` });
    await eventually(() => run.log.said('"Started"'));
    const late = await FakeGateway.start(says('late'));
    await late.stop();
    await late.listen(port);
    expect(await run.result()).toMatchObject({ outcome: 'succeeded', output: 'late' });
    await late.stop();
  });

  test('an agent that hangs up in the middle of an answer has used its tokens, and broke nothing', async () => {
    const run = await cluster.run({
      agent: 'none',
      replies: [
        (response) => {
          response.writeHead(200, { 'content-type': 'text/event-stream' });
          response.write(
            `data: ${JSON.stringify({ choices: [], usage: { prompt_tokens: 7, completion_tokens: 1 } })}\n\n`,
          );
          response.write(`data: ${JSON.stringify({ choices: [{ delta: { content: 'x' } }] })}\n\n`);
        },
      ],
    });
    const stop = new AbortController();
    const init = { method: 'POST', body: JSON.stringify({ stream: true, messages: [] }), signal: stop.signal };
    const answer = await fetch(`${run.url}/chat/completions`, init);
    await answer.body?.getReader().read();
    stop.abort();
    run.writer().write({ v: 1, id: 'r', type: 'error', message: 'gave up' } as never);
    expect(await run.result()).toMatchObject({ reason: 'AgentError', message: 'gave up', usage: { inputTokens: 7 } });
  });
});
