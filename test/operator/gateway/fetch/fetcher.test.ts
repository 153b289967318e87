import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { IncomingHttpHeaders, RequestListener } from 'node:http';
import { eventually } from '../../../support/eventually.ts';
import { MAX_READ_BYTES } from '../../../../operator/gateway/fetch/get.ts';
import { egress, World } from './support.ts';

const HERE = '93.184.216.34';
const THERE = '151.101.1.1';
const INSIDE = '10.1.2.3';

let world: World;
let secrets = 0;
beforeEach(async () => {
  secrets = 0;
  world = new World().name('example.com', [HERE]).name('other.org', [THERE]).name('web.team.svc', [INSIDE]);
  await world.serve(INSIDE, (_request, response) => {
    secrets += 1;
    response.end('inside');
  });
});
afterEach(() => world.stop());

const serve = (listener: RequestListener, address = HERE) => world.serve(address, listener);
const page = (body: string | Buffer, type = 'text/plain'): RequestListener => {
  return (_request, response) => response.writeHead(200, { 'content-type': type }).end(body);
};
const redirect = (location: string, status = 302): RequestListener => {
  return (_request, response) => response.writeHead(status, { location }).end('moved');
};

describe('a fetch', () => {
  test('is a GET with nothing of the run in it', async () => {
    const seen: { method?: string | undefined; url?: string | undefined; headers: IncomingHttpHeaders }[] = [];
    await serve((request, response) => {
      seen.push({ method: request.method, url: request.url, headers: request.headers });
      response.setHeader('set-cookie', 'id=1').end('hello');
    });
    expect(await world.fetch('http://example.com/a b?q=1&r=ü#part')).toEqual({ ok: true, content: 'hello' });
    expect(seen).toEqual([
      {
        method: 'GET',
        url: '/a%20b?q=1&r=%C3%BC',
        headers: {
          host: 'example.com',
          accept: 'text/html, text/plain, application/json, */*;q=0.5',
          'accept-encoding': 'identity',
          'user-agent': 'Sympozium',
          connection: 'close',
        },
      },
    ]);
    await world.fetch('http://example.com:8080/');
    expect(seen[1]?.headers.host).toBe('example.com:8080');
    expect(seen[1]?.headers.cookie).toBeUndefined();
  });

  test('of a page is its text; its source, when that is asked for', async () => {
    await serve(page('<title>T</title><script>x</script><p>Hi</p>', 'text/html'));
    expect((await world.fetch('http://example.com/')).content).toBe('T\n\nHi');
    expect((await world.fetch('http://example.com/', { source: true })).content).toContain('<script>');
  });

  test('that is long is cut, with a notice', async () => {
    await serve(page('é'.repeat(1000)));
    const { content } = await world.fetch('http://example.com/', { maxBytes: 100 });
    expect(Buffer.byteLength(content)).toBeLessThanOrEqual(100);
    expect(content).toMatch(/^é+\n\[cut: 2000 bytes\]$/);
  });

  test('T8 reads a megabyte and hangs up', async () => {
    let written = 0;
    let closed = false;
    await serve((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/plain' });
      const chunk = Buffer.alloc(65_536, 'x');
      const write = () => {
        while (!closed && response.write(chunk)) written += chunk.length;
      };
      response.on('drain', write).on('close', () => (closed = true));
      write();
    });
    const { ok, content } = await world.fetch('http://example.com/', { maxBytes: 1000 });
    expect([ok, Buffer.byteLength(content)]).toEqual([true, 1000]);
    expect(content).toContain(`[cut: more than ${MAX_READ_BYTES} bytes]`);
    await eventually(() => closed);
    expect(written).toBeLessThan(64 * MAX_READ_BYTES);
  });

  test.each([404, 500, 401])('T8 status %i is a failure, with the start of what was said', async (status) => {
    await serve((_request, response) =>
      response.writeHead(status, { 'content-type': 'text/html' }).end(`<p>${'no '.repeat(5000)}`),
    );
    const { ok, content } = await world.fetch('http://example.com/');
    expect(ok).toBe(false);
    expect(content).toMatch(new RegExp(`^The server answered with HTTP status ${status}:\nno no `));
    expect(Buffer.byteLength(content)).toBeLessThan(2200);
  });

  test('of what is no text is a sentence', async () => {
    await serve(page(Buffer.from([0x89, 0x50]), 'image/png'));
    expect(await world.fetch('http://example.com/')).toEqual({
      ok: false,
      content: "The answer is of type 'image/png', not text.",
    });
  });

  test('of an empty page says so', async () => {
    await serve((_request, response) => response.writeHead(204).end());
    expect((await world.fetch('http://example.com/')).content).toBe(
      '[the server answered with HTTP status 204 and without any text]',
    );
  });

  test('fails in one sentence: no server, no name, no url', async () => {
    expect(await world.fetch('http://other.org/')).toEqual({
      ok: false,
      content: `The fetch failed: 'other.org' could not be reached: connect ECONNREFUSED ${THERE}:80.`,
    });
    expect((await world.fetch('http://nobody.example/')).content).toBe(
      "The fetch failed: 'nobody.example' has no address.",
    );
    expect((await world.fetch('example.com')).content).toBe(
      "The fetch failed: 'example.com' is no url: give one such as https://example.com/page.",
    );
  });

  test('fails when the server breaks off, or speaks something else', async () => {
    await serve((_request, response) => {
      response.writeHead(200, { 'content-length': '100' }).write('half');
      response.destroy();
    });
    expect((await world.fetch('http://example.com/')).ok).toBe(false);
    await serve((request) => request.socket.end('SSH-2.0-OpenSSH_9\r\n'), THERE);
    expect((await world.fetch('http://other.org/')).content).toContain("'other.org' could not be reached: Parse Error");
  });

  test.each<[string, RequestListener]>([
    ['says nothing', () => undefined],
    ['never ends', (_request, response) => response.write('x')],
  ])('ends in time when a server %s', async (_how, listener) => {
    await serve(listener);
    const { ok, content } = await world.fetch('http://example.com/', { fetcher: { totalMs: 50 } });
    expect([ok, content]).toEqual([false, 'The fetch failed: it took longer than 0.05 s.']);
  });

  test('ends in time when nobody takes the connection', async () => {
    const dial = (_target: unknown, _addresses: unknown, signal: AbortSignal) =>
      new Promise<never>((_resolve, reject) => {
        signal.addEventListener('abort', () => {
          reject(new Error('aborted'));
        });
      });
    const { content } = await world.fetch('http://example.com/', { fetcher: { dial, connectMs: 20 } });
    expect(content).toBe("The fetch failed: 'example.com' could not be reached: no connection within 0.02 s.");
  });

  test('stops when the run is gone', async () => {
    const gone = new AbortController();
    let closed = false;
    await serve((request) => {
      request.on('close', () => (closed = true));
      gone.abort();
    });
    await expect(world.fetch('http://example.com/', { signal: gone.signal })).rejects.toThrow();
    await eventually(() => closed);
  });
});

describe('T8 redirects', () => {
  test.each([301, 302, 303, 307, 308])('status %i is followed', async (status) => {
    await serve(redirect('http://other.org/final', status));
    await serve((request, response) => response.end(`${request.method ?? ''} ${request.url ?? ''}`), THERE);
    expect(await world.fetch('http://example.com/')).toEqual({ ok: true, content: 'GET /final' });
  });

  test.each([
    ['loopback', 'http://127.0.0.1/'],
    ['metadata', 'http://169.254.169.254/latest/meta-data/'],
    ['metadata in decimal', '//2852039166/'],
    ['an IPv4-mapped address', 'http://[::ffff:7f00:1]/'],
    ['another scheme', 'file:///etc/passwd'],
    ['credentials', 'http://jane:secret@other.org/'],
    ['another protocol’s port', 'http://other.org:25/'],
    ['the cluster', 'http://web.team.svc/'],
  ])('to %s are denied', async (_what, location) => {
    await serve(redirect(location));
    const fetched = await world.fetch('http://example.com/');
    expect(fetched).toMatchObject({ ok: false, denied: expect.any(String) });
    expect(fetched.content).toMatch(/^The fetch was denied: .*Do not try it again/);
    expect(world.reached).toEqual([`${HERE}:80`]);
    expect(secrets).toBe(0);
  });

  test('to a host that is not listed are denied', async () => {
    await serve(redirect('http://other.org/'));
    const { denied } = await world.fetch('http://example.com/', {
      policy: egress({ mode: 'Web', hosts: ['example.com'] }),
    });
    expect(denied).toBe("policy 'own' does not list 'other.org' in egress.hosts");
    expect(world.asked).toEqual(['example.com']);
  });

  test('are followed five times, and no more', async () => {
    let asked = 0;
    await serve((request, response) => {
      asked += 1;
      const left = Number(request.url?.slice(1));
      if (left === 0) response.end('there');
      else response.writeHead(302, { location: `/${left - 1}` }).end();
    });
    expect((await world.fetch('http://example.com/5')).content).toBe('there');
    asked = 0;
    expect((await world.fetch('http://example.com/6')).content).toBe(
      'The fetch failed: it redirects more than 5 times.',
    );
    expect(asked).toBe(6);
  });

  test('without an address are an answer', async () => {
    await serve((_request, response) => response.writeHead(302, { 'content-type': 'text/plain' }).end('look around'));
    expect((await world.fetch('http://example.com/')).content).toBe('look around');
  });
});

describe('T8 DNS rebinding', () => {
  test('a name is asked for once: what was checked is what is connected to', async () => {
    world.name('rebind.example', [HERE], [INSIDE]);
    await serve(page('outside'));
    expect(await world.fetch('http://rebind.example/')).toEqual({ ok: true, content: 'outside' });
    expect(world.asked).toEqual(['rebind.example']);
    expect(world.reached).toEqual([`${HERE}:80`]);
  });

  test('a redirect to the same name is resolved and checked anew', async () => {
    world.name('rebind.example', [HERE], [INSIDE]);
    await serve(redirect('http://rebind.example/again'));
    expect((await world.fetch('http://rebind.example/')).denied).toContain('inside of the cluster');
    expect(world.reached).toEqual([`${HERE}:80`]);
    expect(secrets).toBe(0);
  });

  test('under All the name may move into the cluster, but never to what is always shut', async () => {
    world.name('rebind.example', [HERE], [INSIDE]).name('worse.example', [HERE], ['169.254.169.254']);
    await serve((request, response) => {
      response.writeHead(302, { location: `http://${request.headers.host ?? ''}/again` }).end();
    });
    const all = egress({ mode: 'All' });
    expect((await world.fetch('http://rebind.example/', { policy: all })).content).toBe('inside');
    expect((await world.fetch('http://worse.example/', { policy: all })).denied).toContain('link-local');
  });
});
