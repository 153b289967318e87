import type { AddressInfo } from 'node:net';
import type { Server } from 'node:http';
import { afterEach, expect, test } from '@jest/globals';
import { serveHealth, type Health } from '../../operator/health.ts';

let server: Server | undefined;
afterEach(() => {
  server?.close();
  server?.closeAllConnections();
});

async function ask(health: Health, path: string): Promise<{ status: number; type: string | null; text: string }> {
  server = await serveHealth(health, 0);
  const answer = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`);
  return { status: answer.status, type: answer.headers.get('content-type'), text: await answer.text() };
}

const ready = () => undefined;

test.each([
  ['/healthz', { ready: () => 'not yet' }, 200, 'ok\n'],
  ['/healthz', { ready, live: () => 'stuck' }, 503, 'stuck\n'],
  ['/readyz', { ready }, 200, 'ok\n'],
  ['/readyz?verbose', { ready: () => 'not yet' }, 503, 'not yet\n'],
  ['/else', { ready }, 404, 'nothing here: ask for /healthz, /readyz or /metrics\n'],
  ['/metrics', { ready }, 404, 'nothing here: ask for /healthz, /readyz or /metrics\n'],
  ['/metrics', { ready, metrics: () => Promise.reject(new Error('too early')) }, 500, "can't be told now: too early\n"],
])('%s of %j', async (path, health: Health, status, text) => {
  expect(await ask(health, path)).toMatchObject({ status, text });
});

test('metrics say which format they have, also to one that is not ready', async () => {
  const answer = await ask({ ready: () => 'not yet', metrics: () => Promise.resolve('up 1\n') }, '/metrics?x=y');
  expect(answer).toEqual({ status: 200, type: 'text/plain; version=0.0.4; charset=utf-8', text: 'up 1\n' });
});
