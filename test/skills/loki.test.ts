import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FakeServer, json } from './support/http.ts';
import { startLoki } from './support/loki.ts';
import { Tools } from './support/packs.ts';

const END = '2026-05-01T12:00:00Z';
const at = (minutesBefore: number) => Date.parse(END) - minutesBefore * 60_000;
const STREAMS = [
  { labels: { app: 'web', pod: 'web-1' }, lines: [[at(50), 'started'], [at(10), 'error: no table'], [at(300), 'error: old']] }, // prettier-ignore
  {
    labels: { app: 'web', pod: 'web-2' },
    lines: [
      [at(5), 'error: no\n  table'],
      [at(4), `error: ${'x'.repeat(900)}`],
    ],
  },
  { labels: { app: 'db', pod: 'db-0' }, lines: [[at(3), 'checkpoint']] },
] as const;

let loki: FakeServer;
let tools: Tools;
beforeAll(async () => {
  loki = await startLoki(STREAMS, 'shop');
  tools = await Tools.of('sre-observability', { LOKI_URL: loki.url, LOKI_TENANT: 'shop' });
}, 30_000);
afterAll(() => {
  tools.remove();
  loki.stop();
});

test('loki_query gives lines of all streams, the newest first, each with its stream', async () => {
  const text = await tools.result('loki_query', { query: '{app="web"} |= "error"', end: END });
  expect(text.split('\n')).toEqual([
    '3 lines of 2 streams, the newest first.',
    '[1] {app="web", pod="web-1"}',
    '[2] {app="web", pod="web-2"}',
    `2026-05-01T11:56:00Z [2] error: ${'x'.repeat(492)}…`,
    '2026-05-01T11:55:00Z [2] error: no table',
    '2026-05-01T11:50:00Z [1] error: no table',
  ]);
});

test('loki_query looks as far back as it is told, and says when there may be more', async () => {
  const query = '{app="web"} |= "error"';
  expect(await tools.result('loki_query', { query, end: END, since: '6h' })).toMatch(/T07:00:00Z \[1\] error: old$/);
  expect(await tools.result('loki_query', { query, end: END, limit: 1 })).toMatch(
    /^1 line of 1 stream, the newest first; there may be more\./,
  );
  expect(await tools.result('loki_query', { query: '{app="none"}', end: END })).toBe('No lines.');
});

test('loki_query counts', async () => {
  const query = 'sum(count_over_time({app="web"} |= "error" [5m]))';
  expect(await tools.result('loki_query', { query, end: END })).toBe(
    '{}\n  lowest 0 at 11:58, highest 3 at 12:00, average 1.5, last 3\n  11:58 0, 12:00 3',
  );
});

test('loki_labels lists labels and the values of one', async () => {
  const now = await startLoki([{ labels: { app: 'web', pod: 'a/b' }, lines: [[Date.now() - 1000, 'x']] }]);
  const here = tools.with({ LOKI_URL: now.url });
  expect(await here.result('loki_labels')).toBe('app\npod');
  expect(await here.result('loki_labels', { label: 'pod' })).toBe('a/b');
  expect(await here.result('loki_labels', { label: 'node' })).toBe("Label 'node' has no values.");
  now.stop();
});

test("what Loki refuses is told in Loki's words", async () => {
  expect(await tools.failure('loki_query', { query: 'web' })).toBe('Loki answered 400: parse error at line 1, col 1: syntax error: unexpected web'); // prettier-ignore
  expect(await tools.with({ LOKI_TENANT: '' }).failure('loki_labels')).toBe('Loki answered 401: no org id');
});

test('a token is read from its file and never shown', async () => {
  const seen: (string | undefined)[] = [];
  const server = await FakeServer.start(({ headers }, response) => {
    seen.push(headers.authorization);
    json(response, 200, { status: 'success', data: ['app'] });
  });
  const file = join(tools.workspace, 'token');
  writeFileSync(file, 'loki-canary\n');
  const { text, argv } = await tools.with({ LOKI_URL: server.url, LOKI_TOKEN_FILE: file }).call('loki_labels');
  server.stop();
  expect(seen).toEqual(['Bearer loki-canary']);
  expect([text, ...argv].join()).not.toContain('canary');
});

test('an answer that would not fit is refused', async () => {
  const server = await FakeServer.start((_, response) => response.end(Buffer.alloc(17 * 1024 * 1024, 'x')));
  expect(await tools.with({ LOKI_URL: server.url }).failure('loki_labels')).toMatch(
    /^the answer of Loki is longer than 16 MiB/,
  );
  server.stop();
});

test('a redirect is not followed: it would take the token elsewhere', async () => {
  const server = await FakeServer.start((_, response) => response.writeHead(302, { location: loki.url }).end());
  expect(await tools.with({ LOKI_URL: server.url }).failure('loki_labels')).toMatch(
    /^Loki at \S+ can't be reached: .*redirect/,
  );
  server.stop();
});
