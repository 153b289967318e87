import { request } from 'node:http';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { FetchUrl } from '../../../operator/bridge/fetch-url.ts';
import { GatewayClient } from '../../../operator/bridge/gateway-client.ts';
import { MAX_TOOL_RESULT_BYTES } from '../../../operator/ipc/messages.ts';
import { effective } from '../../support/objects.ts';
import { eventually } from '../../support/eventually.ts';
import { calls, FakeGateway, fails, says } from './fake-gateway.ts';
import { Cluster } from './harness.ts';

jest.setTimeout(30_000);

describe('fetch_url', () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await Cluster.start();
  });
  afterAll(() => cluster.stop());

  const told = (run: Awaited<ReturnType<Cluster['run']>>) =>
    run.gateway.seen.at(-1)?.body.messages.flatMap(({ role, content }) => (role === 'tool' ? [content] : []));

  test('is carried out by the gateway, in the name of the run', async () => {
    const run = await cluster.run({ replies: [calls(['fetch_url', { url: 'https://example.com/' }]), says('ok')] });
    expect(await run.result()).toMatchObject({ outcome: 'succeeded', usage: { toolCalls: 1 } });
    expect(run.gateway.fetches).toEqual([
      {
        authorization: `Bearer gateway-token-of-${run.name}`,
        body: { url: 'https://example.com/', as: 'text', max_bytes: MAX_TOOL_RESULT_BYTES },
      },
    ]);
    expect(told(run)).toEqual(['a page']);
  });

  test('T8 is not carried out when the policy denies the tool', async () => {
    const layer = { source: "policy 'strict'", deny: ['fetch_url'], approve: [] };
    const run = await cluster.run({
      policy: effective('strict', [layer]),
      replies: [calls(['fetch_url', { url: 'https://example.com/' }]), says('ok')],
    });
    await run.result();
    expect(run.gateway.fetches).toEqual([]);
    expect(run.gateway.seen[0]?.body.tools?.map((tool) => tool.function.name)).not.toContain('fetch_url');
    expect(told(run)?.[0]).toContain("Tool 'fetch_url' was denied: policy 'strict' denies it");
  });

  test('a denial of the gateway is audited on the bus', async () => {
    const run = await cluster.run({ agent: 'none', replies: [says('ok')] });
    run.gateway.onFetch = (response) => response.end('{"ok":false,"content":"denied","denied":"policy x"}');
    const url = 'https://example.com/?secret';
    run
      .writer()
      .write({ v: 1, id: 'c1', type: 'tool-call', tool: 'fetch_url', arguments: { url } } as object & { type: string });
    const denial = await eventually(() => run.audits.find(({ action }) => action === 'fetch'));
    expect(denial).toMatchObject({ call: 'c1', tool: 'fetch_url', verdict: 'denied', rule: 'policy x' });
    expect(denial.argumentsHash).toMatch(/^[0-9a-f]{64}$/);
    expect(JSON.stringify(run.audits)).not.toContain('?secret');
  });

  test('P4 a run whose model is denied ends with the sentence that names the policy', async () => {
    const message = "model 'openai/m' was denied, because policy 'strict' does not list it in models.allowed";
    const run = await cluster.run({
      replies: [fails(403, message, { 'x-sympozium-reason': 'ModelDenied', 'x-should-retry': 'false' })],
    });
    expect(await run.result()).toMatchObject({
      outcome: 'failed',
      reason: 'ModelDenied',
      message,
      usage: { modelCalls: 1 },
    });
    const denial = await eventually(() => run.audits.find(({ action }) => action === 'model'));
    expect(denial).toMatchObject({ verdict: 'denied', rule: message });
  });

  test('T8 an agent does not get around that by the address of its model', async () => {
    const run = await cluster.run({ agent: 'none', replies: [says('ok')] });
    const { port } = new URL(run.url);
    const post = (path: string) =>
      new Promise<number | undefined>((resolve, reject) => {
        const outgoing = request({ host: '127.0.0.1', port, path, method: 'POST' }, (answer) => {
          answer.resume();
          resolve(answer.statusCode);
        });
        outgoing.on('error', reject).end('{"url":"https://example.com/"}');
      });
    for (const path of ['/fetch', '/v1/../fetch', '/v1/%2e%2e/fetch', '//fetch', '/v1/..\\fetch']) {
      expect(await post(path)).toBe(404);
    }
    expect(run.gateway.fetches).toEqual([]);
  });
});

describe('its executor', () => {
  let gateway: FakeGateway;
  let client: GatewayClient;
  let closing: AbortController;
  beforeEach(async () => {
    closing = new AbortController();
    gateway = await FakeGateway.start(says('unused'));
    client = new GatewayClient(`http://127.0.0.1:${gateway.port}`, () => 'token', 10);
  });
  afterEach(async () => {
    closing.abort();
    client.close();
    await gateway.stop();
  });

  const denials: [string, string][] = [];
  const run = (given: Record<string, unknown>) =>
    new Promise<{ id: string; ok: boolean; content: string }>((resolve) => {
      const executor = new FetchUrl({
        gateway: client,
        onResult: resolve,
        onDenied: ({ id }, rule) => denials.push([id, rule]),
        signal: closing.signal,
      });
      executor.send({ v: 1, id: 'call-1', type: 'tool-call', tool: 'fetch_url', arguments: given });
    });
  const answering = (status: number, body: object | string) => {
    gateway.onFetch = (response) =>
      response.writeHead(status).end(typeof body === 'string' ? body : JSON.stringify(body));
  };

  test('asks for as much as a result may hold, also when the model writes numbers as text', async () => {
    await run({ url: 'https://a.example/', as: 'source', max_bytes: '100' });
    await run({ url: 'https://a.example/', max_bytes: 10_000_000 });
    expect(gateway.fetches.map(({ body }) => body)).toEqual([
      { url: 'https://a.example/', as: 'source', max_bytes: 100 },
      { url: 'https://a.example/', as: 'text', max_bytes: MAX_TOOL_RESULT_BYTES },
    ]);
  });

  test.each([
    [{}, 'url is missing: give the address, for example https://example.com/page'],
    [
      { url: 'https://a.example/', max_bytes: 'many' },
      'max_bytes is not a whole number from 1 to 32768: leave it out, or give one',
    ],
    [
      { url: 'https://a.example/', max_bytes: 0 },
      'max_bytes is not a whole number from 1 to 32768: leave it out, or give one',
    ],
  ])('%j is refused before anyone is asked', (given, message) => {
    const executor = new FetchUrl({
      gateway: client,
      onResult: () => undefined,
      onDenied: () => undefined,
      signal: closing.signal,
    });
    expect(executor.problem({ arguments: given })).toBe(message);
    expect(() => {
      executor.send({ v: 1, id: 'x', type: 'tool-call', tool: 'fetch_url', arguments: given });
    }).toThrow(message);
    expect(gateway.fetches).toEqual([]);
  });

  test('a denial goes to the model, and to the audit', async () => {
    answering(200, { ok: false, content: 'The fetch was denied.', denied: "policy 'x'" });
    expect(await run({ url: 'https://a.example/' })).toMatchObject({
      id: 'call-1',
      ok: false,
      content: 'The fetch was denied.',
    });
    expect(denials).toEqual([['call-1', "policy 'x'"]]);
  });

  test.each([
    [429, { error: { message: 'too many fetches' } }, 'The fetch failed: too many fetches.'],
    [500, 'oops', 'The fetch failed: the gateway answered with HTTP status 500.'],
    [200, '{"ok":"yes"}', 'The fetch failed: the gateway answered with HTTP status 200.'],
    [
      200,
      `"${'x'.repeat(9 * MAX_TOOL_RESULT_BYTES)}"`,
      "The fetch failed: the gateway's answer is larger than 262144 bytes.",
    ],
  ])('status %i is a failed call, and never a lost one', async (status, body, content) => {
    answering(status, body);
    expect(await run({ url: 'https://a.example/' })).toMatchObject({ ok: false, content });
  });

  test('so is a gateway that is away', async () => {
    await gateway.stop();
    expect((await run({ url: 'https://a.example/' })).content).toMatch(
      /^The fetch failed: the gateway could not be reached: .*ECONNREFUSED/,
    );
  });
});
