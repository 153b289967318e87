import { afterEach, describe, expect, test } from '@jest/globals';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { KubeClient } from '../../../operator/kube/client.ts';
import { AGENT_RUNS, PODS, SECRETS } from '../../../operator/kube/resources.ts';
import { readWatch } from '../../../operator/kube/watch.ts';
import { agentRun } from '../../support/objects.ts';

interface Seen {
  readonly request: string;
  readonly type: string | undefined;
  readonly body: string;
}

type Answer = (response: ServerResponse, seen: Seen, request: IncomingMessage) => void;

let server: Server | undefined;
let kube: KubeClient;

afterEach(() => {
  kube.close();
  server?.closeAllConnections();
  server?.close();
});

/** A server that gives these answers in turn, the last one for ever. */
async function serve(...answers: Answer[]) {
  const seen: Seen[] = [];
  const pauses: number[] = [];
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const one = {
        request: `${request.method ?? ''} ${request.url ?? ''}`,
        type: request.headers['content-type'],
        body: Buffer.concat(chunks).toString(),
      };
      seen.push(one);
      answers[Math.min(seen.length, answers.length) - 1]?.(response, one, request);
    });
  });
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  kube = new KubeClient(
    { server: new URL(`http://127.0.0.1:${port}`), tls: {}, headers: () => Promise.resolve({ authorization: 'Bearer t' }) },
    { fieldManager: 'me', sleep: (ms) => { pauses.push(ms); return Promise.resolve(); }, timeoutMs: 500 },
  ); // prettier-ignore
  return { seen, pauses };
}

const json =
  (status: number, body: object): Answer =>
  (response) => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  };
const status = (code: number, reason: string, message: string): Answer =>
  json(code, { kind: 'Status', reason, message, code });

describe('KubeClient', () => {
  test('finds nothing where there is nothing', async () => {
    await serve(status(404, 'NotFound', 'pods "x" not found'));
    expect(await kube.get(PODS, { namespace: 'team', name: 'x' })).toBeUndefined();
  });

  test.each([
    [409, 'AlreadyExists', 'AlreadyExists'],
    [409, 'Conflict', 'Conflict'],
    [403, 'Forbidden', 'Forbidden'],
    [422, 'Invalid', 'Invalid'],
    [500, 'InternalError', 'Unavailable'],
  ])("tells %i %s as '%s', with the server's sentence", async (code, reason, expected) => {
    const { seen } = await serve(status(code, reason, 'the sentence'));
    await expect(kube.create(AGENT_RUNS, agentRun('x'))).rejects.toMatchObject({
      code: expected,
      status: code,
      message: 'POST /apis/sympozium.ai/v1alpha1/namespaces/team/agentruns: the sentence',
    });
    expect(seen).toHaveLength(1); // a write is never repeated blindly
  });

  test('reads again what failed for a moment', async () => {
    const { seen, pauses } = await serve(
      status(503, '', 'later'),
      status(429, '', 'later'),
      json(200, { kind: 'Pod' }),
    );
    expect(await kube.get(PODS, { namespace: 'team', name: 'x' })).toMatchObject({ kind: 'Pod' });
    expect(seen).toHaveLength(3);
    expect(pauses).toEqual([200, 400]);
  });

  test('writes again only what was turned away unseen', async () => {
    const { seen } = await serve(status(429, 'TooManyRequests', 'later'), json(201, agentRun('x')));
    await kube.create(AGENT_RUNS, agentRun('x'));
    expect(seen.map(({ request }) => request.split('?')[0])).toEqual(
      Array(2).fill('POST /apis/sympozium.ai/v1alpha1/namespaces/team/agentruns'),
    );
  });

  test('gives up on a server that never answers', async () => {
    await serve(() => undefined);
    await expect(kube.create(AGENT_RUNS, agentRun('x'))).rejects.toMatchObject({ code: 'Unavailable', status: 0 });
  });

  test('tells an answer that is no Status', async () => {
    await serve((response) => response.writeHead(502).end('<html>Bad Gateway</html>'));
    await expect(kube.create(AGENT_RUNS, agentRun('x'))).rejects.toMatchObject({ code: 'Unavailable', status: 502 });
  });

  test('applies a status by server-side apply', async () => {
    const { seen } = await serve(json(200, agentRun('x')));
    await kube.applyStatus(AGENT_RUNS, { ...agentRun('x'), status: { phase: 'Running' } });
    expect(seen[0]).toMatchObject({
      request:
        'PATCH /apis/sympozium.ai/v1alpha1/namespaces/team/agentruns/x/status?fieldManager=me&fieldValidation=Strict&force=true',
      type: 'application/apply-patch+yaml',
    });
  });

  test('deletes nothing but the object that was looked at', async () => {
    const { seen } = await serve(json(200, {}), status(409, 'Conflict', 'uid'), status(404, 'NotFound', ''));
    const remove = () => kube.delete(SECRETS, { namespace: 'team', name: 'x' }, { uid: 'u' });
    expect([await remove(), await remove(), await remove()]).toEqual([true, false, false]);
    expect(JSON.parse(seen[0]?.body ?? '')).toEqual({ propagationPolicy: 'Background', preconditions: { uid: 'u' } });
  });

  test('lists page by page', async () => {
    const page = (name: string, more: string) =>
      json(200, { metadata: { resourceVersion: '7', continue: more }, items: [{ metadata: { name } }] });
    const { seen } = await serve(page('a', 'token'), page('b', ''));
    expect(await kube.list(PODS, { labels: 'x=y' })).toEqual({
      resourceVersion: '7',
      items: ['a', 'b'].map((name) => ({ apiVersion: 'v1', kind: 'Pod', metadata: { name } })),
    });
    expect(seen[1]?.request).toBe('GET /api/v1/pods?labelSelector=x%3Dy&limit=500&continue=token');
  });
});

describe('watching', () => {
  const stop = new AbortController();
  const watch = async () => {
    const events: unknown[] = [];
    for await (const event of kube.watch(PODS, { resourceVersion: '5' }, stop.signal)) events.push(event);
    return events;
  };
  const line = (type: string, object: object) => `${JSON.stringify({ type, object })}\n`;

  test('joins what came in pieces, and splits what came together', async () => {
    const text = line('ADDED', { metadata: { name: 'ä' } }) + line('BOOKMARK', { metadata: { resourceVersion: '9' } });
    const bytes = [...Buffer.from(text)].map((byte) => Buffer.of(byte));
    for (const chunks of [bytes, [Buffer.from(text)]]) {
      const response = Readable.from(chunks);
      const events: unknown[] = [];
      for await (const event of readWatch(() => Promise.resolve(response), stop.signal)) events.push(event);
      expect(events).toEqual([
        { type: 'ADDED', object: { metadata: { name: 'ä' } } },
        { type: 'BOOKMARK', resourceVersion: '9' },
      ]);
    }
  });

  test('asks for bookmarks, and for an end', async () => {
    const { seen } = await serve((response) => response.writeHead(200).end());
    expect(await watch()).toEqual([]);
    expect(seen[0]?.request).toBe(
      'GET /api/v1/pods?watch=true&allowWatchBookmarks=true&resourceVersion=5&timeoutSeconds=300',
    );
  });

  test.each([
    ['an HTTP error', status(410, 'Expired', 'too old')],
    ['an event', (response) => response.writeHead(200).end(line('ERROR', { code: 410 }))],
  ])('tells a version that is too old, told by %s', async (_, answer) => {
    await serve(answer);
    expect(await watch()).toEqual([{ type: 'EXPIRED' }]);
  });

  test('fails when the server does', async () => {
    await serve((response) => response.writeHead(200).end(line('ERROR', { code: 500, message: 'etcd is gone' })));
    await expect(watch()).rejects.toThrow('watch: etcd is gone');
  });

  test('fails when the connection breaks', async () => {
    await serve((response) => {
      response.writeHead(200);
      response.write('{"type":"ADD');
      setImmediate(() => response.destroy());
    });
    await expect(watch()).rejects.toThrow();
  });
});
