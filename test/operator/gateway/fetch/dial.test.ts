import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { dial } from '../../../../operator/gateway/fetch/dial.ts';
import { get } from '../../../../operator/gateway/fetch/get.ts';
import { targetOf } from '../../../../operator/gateway/fetch/target.ts';

let server: Server;
let port = 0;
beforeAll(async () => {
  server = createServer((request, response) => response.end(request.headers.host)).listen(0, '127.0.0.2');
  await once(server, 'listening');
  port = (server.address() as AddressInfo).port;
});
afterAll(() => {
  server.close();
});

const never = new AbortController().signal;

test('T8 connects to the checked address, whatever the name means', async () => {
  const target = targetOf(`http://localhost:${port}/`);
  const socket = await dial(target, [{ address: '127.0.0.2', family: 4 }], never);
  expect(socket.remoteAddress).toBe('127.0.0.2');
  expect((await get(target, socket, never)).body.toString()).toBe(`localhost:${port}`);
});

test('tries the next address when the first takes no connection', async () => {
  const addresses = [
    { address: '127.0.0.3', family: 4 },
    { address: '127.0.0.2', family: 4 },
  ] as const;
  const socket = await dial(targetOf(`http://example.com:${port}/`), addresses, never);
  expect(socket.remoteAddress).toBe('127.0.0.2');
  socket.destroy();
});

test('T8 refuses a connection that ended elsewhere than at a checked address', async () => {
  // A literal address is never looked up, so the socket goes where the url says.
  const target = targetOf(`http://127.0.0.2:${port}/`);
  await expect(dial(target, [{ address: '93.184.216.34', family: 4 }], never)).rejects.toThrow('not checked');
});

test('says why nobody answers, and stops when told to', async () => {
  const closed = [{ address: '127.0.0.4', family: 4 }] as const;
  await expect(dial(targetOf(`http://example.com:${port}/`), closed, never)).rejects.toThrow('ECONNREFUSED');
  await expect(dial(targetOf(`http://example.com:${port}/`), closed, AbortSignal.abort())).rejects.toThrow('aborted');
});

test('speaks TLS with the name of the host, and refuses a server that has no certificate for it', async () => {
  await expect(
    dial(targetOf(`https://example.com:${port}/`), [{ address: '127.0.0.2', family: 4 }], never),
  ).rejects.toThrow();
});
