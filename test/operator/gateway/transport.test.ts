import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { afterEach, describe, expect, test } from '@jest/globals';
import { drain } from '../../../operator/gateway/drain.ts';
import type { Timeouts } from '../../../operator/gateway/upstream.ts';
import { startGateway, startUpstream, TOKEN, type Running } from './support.ts';

const BODY = { messages: [{ role: 'user', content: 'hi' }] };
const PATH = '/v1/chat/completions';

describe('the way to the provider and back', () => {
  const cleanups: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  });

  async function start(
    listener: Parameters<typeof startUpstream>[0],
    timeouts: Partial<Timeouts> = {},
  ): Promise<Running> {
    const upstream = await startUpstream(listener);
    cleanups.push(upstream.stop);
    return gatewayFor(upstream.url, timeouts);
  }
  async function gatewayFor(baseURL: string, timeouts: Partial<Timeouts> = {}): Promise<Running> {
    const gateway = await startGateway({ name: 'openai', model: 'm', baseURL }, { timeouts });
    cleanups.push(() => gateway.stop());
    return gateway;
  }
  const messageOf = async (answer: Response): Promise<string> =>
    ((await answer.json()) as { error: { message: string } }).error.message;

  test('an unknown path is told what there is', async () => {
    const gateway = await start((_request, response) => response.end('{}'));
    const answer = await gateway.post('/v1/files', BODY);
    expect(answer.status).toBe(404);
    expect(await messageOf(answer)).toContain(
      "there is no 'POST /v1/files': the gateway serves POST /v1/chat/completions",
    );
    expect((await fetch(`${gateway.url}${PATH}`)).status).toBe(404);
    expect((await fetch(`${gateway.url}//`)).status).toBe(404);
  });

  test('a body that is no JSON object is refused', async () => {
    const gateway = await start((_request, response) => response.end('{}'));
    const broken = await gateway.post(PATH, '{"a":');
    expect([broken.status, await messageOf(broken)]).toEqual([400, expect.stringContaining('the body is not JSON')]);
    const list = await gateway.post(PATH, '[]');
    expect([list.status, await messageOf(list)]).toEqual([400, 'the body must be a JSON object, got a list']);
  });

  test('a large body passes, a huge one is refused with a sentence', async () => {
    let bytes = 0;
    const gateway = await start((request, response) => {
      request.on('data', (chunk: Buffer) => (bytes += chunk.length));
      request.on('end', () => response.end('{}'));
    });
    const large = { messages: [{ role: 'user', content: 'x'.repeat(8 * 1024 * 1024 - 200) }] };
    expect((await gateway.post(PATH, large)).status).toBe(200);
    expect(bytes).toBeGreaterThan(8 * 1024 * 1024 - 200);
    const huge = await gateway.post(PATH, { messages: 'x'.repeat(24 * 1024 * 1024) });
    expect([huge.status, await messageOf(huge)]).toEqual([413, expect.stringContaining('larger than 8388608 bytes')]);
  });

  test('path, query and hop-by-hop headers', async () => {
    const seen: Pick<IncomingMessage, 'url' | 'headers'>[] = [];
    const upstream = await startUpstream((request, response) => {
      seen.push({ url: request.url, headers: request.headers });
      response.writeHead(200, {
        connection: 'x-hop',
        'x-hop': '1',
        'set-cookie': 'a=b',
        'x-kept': '2',
        'x-sympozium-reason': 'forged',
      });
      response.end('{}');
    });
    cleanups.push(upstream.stop);
    const gateway = await gatewayFor(`${upstream.url}/azure/?api-version=7`);
    const answer = await gateway.post(`${PATH}?extra=1`, BODY, {
      headers: { te: 'trailers', 'x-api-key': 'mine', 'x-trace': '3' },
    });
    expect(seen[0]?.url).toBe('/v1/azure/chat/completions?api-version=7&extra=1');
    expect(seen[0]?.headers).toMatchObject({ 'x-trace': '3', 'accept-encoding': 'identity' });
    for (const header of ['te', 'x-api-key', 'authorization']) expect(seen[0]?.headers).not.toHaveProperty(header);
    expect(Object.fromEntries(answer.headers)).toMatchObject({ 'x-kept': '2' });
    for (const header of ['x-hop', 'set-cookie', 'x-sympozium-reason']) expect(answer.headers.has(header)).toBe(false);
  });

  test('a provider that cannot be reached is named', async () => {
    const upstream = await startUpstream(() => undefined);
    await upstream.stop();
    const gateway = await gatewayFor(upstream.url);
    const answer = await gateway.post(PATH, BODY);
    expect(answer.status).toBe(502);
    expect(answer.headers.get('x-sympozium-reason')).toBe('ModelError');
    const { host } = new URL(upstream.url);
    expect(await messageOf(answer)).toBe(
      `the provider at '${host}' could not be reached: connect ECONNREFUSED ${host}`,
    );
  });

  test('a redirect is not followed', async () => {
    let requests = 0;
    const gateway = await start((_request, response) => {
      requests += 1;
      response.writeHead(307, { location: 'http://169.254.169.254/' }).end();
    });
    const answer = await gateway.post(PATH, BODY);
    expect(answer.status).toBe(502);
    expect(await messageOf(answer)).toContain("redirects to 'http://169.254.169.254/', which is not followed");
    expect(requests).toBe(1);
  });

  test('a provider that says nothing is given up', async () => {
    const gateway = await start(() => undefined, { headersMs: 50 });
    const answer = await gateway.post(PATH, BODY);
    expect([answer.status, await messageOf(answer)]).toEqual([
      504,
      expect.stringContaining('did not answer within 0.05 s'),
    ]);
  });

  test('a provider that stops in the middle is given up', async () => {
    const gateway = await start((_request, response) => void response.writeHead(200).write('data: {}\n\n'), {
      idleMs: 50,
    });
    const answer = await gateway.post(PATH, BODY);
    await expect(answer.text()).rejects.toThrow();
    expect(await gateway.logged('"Cut"')).toContain('nothing moved for 0.05 s');
  });

  test('a run that goes away stops the provider', async () => {
    let stopped: (() => void) | undefined;
    const closed = new Promise<void>((resolve) => (stopped = resolve));
    const gateway = await start((_request, response) => {
      response.once('close', () => stopped?.());
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: {}\n\n');
    });
    const client = new AbortController();
    const answer = await fetch(`${gateway.url}${PATH}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${TOKEN}` },
      body: JSON.stringify(BODY),
      signal: client.signal,
    });
    expect(answer.status).toBe(200);
    client.abort();
    await closed;
    expect(await gateway.logged('"Cut"')).toContain('"status":200');
  });

  test('a run that goes away before the answer begins stops the provider', async () => {
    let stopped: (() => void) | undefined;
    const closed = new Promise<void>((resolve) => (stopped = resolve));
    const client = new AbortController();
    const gateway = await start((_request, response) => {
      response.once('close', () => stopped?.());
      client.abort();
    });
    const headers = { authorization: `Bearer ${TOKEN}` };
    const call = fetch(`${gateway.url}${PATH}`, {
      method: 'POST',
      headers,
      body: JSON.stringify(BODY),
      signal: client.signal,
    });
    await expect(call).rejects.toThrow();
    await closed;
    expect(await gateway.logged('"Cut"')).toContain('aborted');
  });

  test('a client that reads slowly holds the provider back', async () => {
    const total = 64 * 1024 * 1024;
    let sent = 0;
    let held: (() => void) | undefined;
    const full = new Promise<void>((resolve) => (held = resolve));
    const gateway = await start((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      const chunk = Buffer.alloc(1024 * 1024, 'x');
      const write = (): void => {
        while (sent < total) {
          sent += chunk.length;
          if (!response.write(chunk)) {
            // Nothing more goes out within a while: everything on the way is full.
            const timer = setTimeout(() => held?.(), 300);
            response.once('drain', () => {
              clearTimeout(timer);
              write();
            });
            return;
          }
        }
        response.end();
      };
      write();
    });
    const call = httpRequest(`${gateway.url}${PATH}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${TOKEN}` },
    });
    call.end(JSON.stringify(BODY));
    const [answer] = (await once(call, 'response')) as [IncomingMessage];
    await full;
    expect(sent).toBeLessThan(total / 2);
    let received = 0;
    for await (const chunk of answer) received += (chunk as Buffer).length;
    expect(received).toBe(total);
  });

  test('a kept connection that the provider has closed is replaced', async () => {
    let requests = 0;
    const gateway = await start((request, response) => {
      requests += 1;
      // The second request on a connection finds it broken.
      if (requests === 2) request.socket.destroy();
      else response.end('{}');
    });
    await (await gateway.post(PATH, BODY)).text();
    expect((await gateway.post(PATH, BODY)).status).toBe(200);
    expect(requests).toBe(3);
  });

  test('shutting down lets answers under way end', async () => {
    let finish: (() => void) | undefined;
    const gateway = await start((_request, response) => {
      response.writeHead(200).write('a');
      finish = () => response.end('b');
    });
    const answer = await gateway.post(PATH, BODY);
    const drained = drain(gateway.server, 30_000);
    await expect(fetch(`${gateway.url}/v1/warm`)).rejects.toThrow();
    finish?.();
    expect(await answer.text()).toBe('ab');
    await drained;
  });

  test('shutting down ends at some time', async () => {
    const gateway = await start((_request, response) => void response.writeHead(200).write('a'));
    const answer = await gateway.post(PATH, BODY);
    await drain(gateway.server, 20);
    await expect(answer.text()).rejects.toThrow();
  });
});
