import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { answers } from './api.ts';

const directory = mkdtempSync(join(tmpdir(), 'sympozium-api-'));
const socket = join(directory, 'agent.sock');
let server: Server;
beforeAll(async () => {
  server = createServer((request, response) => {
    response.writeHead(request.url === '/well' && request.headers.brief === 'true' ? 200 : 503).end();
  });
  await new Promise<void>((resolve) => server.listen(socket, resolve));
});
afterAll(() => {
  server.close();
  rmSync(directory, { recursive: true });
});

test('a component answers at a unix socket that accepts', async () => {
  expect(await answers(socket)).toBe(true);
  expect(await answers(join(directory, 'nobody.sock'))).toBe(false);
});

test('a component answers at a path over a unix socket when it says that it is well', async () => {
  expect(await answers(`${socket}:/well`)).toBe(true);
  expect(await answers(`${socket}:/ill`)).toBe(false);
  expect(await answers(`${join(directory, 'nobody.sock')}:/well`)).toBe(false);
});
