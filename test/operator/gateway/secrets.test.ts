import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import { API_KEY, PROVIDERS } from '../../../lib/api/v1alpha1/provider.ts';
import { Redactor } from '../../../operator/gateway/redact.ts';
import { notServed } from '../../../operator/gateway/providers.ts';
import { base64, CANARY, CONTROLLER_TOKEN, startGateway, startUpstream, TOKEN, type Running } from './support.ts';

const BODY = { messages: [{ role: 'user', content: 'hi' }] };

/** Everything that an answer consists of, as text. */
async function allOf(answer: Response): Promise<string> {
  return JSON.stringify([answer.status, [...answer.headers], await answer.text()]);
}

describe.each([['openai'], ['anthropic']] as const)('R7 the key of %s', (name) => {
  let upstream: Awaited<ReturnType<typeof startUpstream>>;
  let gateway: Running;
  let seen: IncomingHttpHeaders = {};
  let reply: (response: ServerResponse, key: string) => void;

  beforeEach(async () => {
    upstream = await startUpstream((request, response) => {
      seen = request.headers;
      const key = String(request.headers.authorization ?? request.headers['x-api-key']).replace('Bearer ', '');
      reply(response, key);
    });
    gateway = await startGateway({ name, model: 'm', baseURL: upstream.url, apiKeySecret: 'model-secret' });
  });
  afterEach(async () => {
    await gateway.stop();
    await upstream.stop();
    for (const secret of [CANARY, base64(CANARY), TOKEN]) expect(gateway.logs.join('')).not.toContain(secret);
  });

  test.each<[string, (response: ServerResponse, key: string) => void]>([
    ['in the error of a key that was refused', (response, key) => response.writeHead(401, { 'content-type': 'application/json' }).end(JSON.stringify({ error: { type: 'authentication_error', message: `Incorrect API key provided: ${key}` } }))],
    ['in headers', (response, key) => response.writeHead(500, { 'x-debug': `auth=${key}`, [`www-authenticate`]: key }).end('{}')],
    ['in an answer that is no JSON', (response, key) => response.writeHead(200, { 'content-type': 'text/plain' }).end(`your key is ${key}`)],
    ['in a redirect', (response, key) => response.writeHead(302, { location: `https://elsewhere.example/?key=${key}` }).end()],
    ['in the path of a redirect', (response, key) => response.writeHead(302, { location: `/${key}/` }).end()],
    ['in an answer that breaks off', (response, key) => { response.writeHead(500, { 'content-length': '10000' }).write(key); response.destroy(); }],
  ])('does not reach the run when the provider repeats it %s', async (_where, says) => {
    reply = says;
    const answer = await gateway.post('/v1/chat/completions', BODY).then(allOf, (error: unknown) => String(error));
    expect(Object.values(seen).join(' ')).toContain(CANARY);
    expect(answer).not.toContain(CANARY);
    expect(answer).not.toContain(base64(CANARY));
  }); // prettier-ignore

  test('does not reach the run when nobody answers', async () => {
    await upstream.stop();
    upstream = await startUpstream(() => undefined);
    expect(await allOf(await gateway.post('/v1/chat/completions', BODY))).not.toContain(CANARY);
  });

  test('does not reach the controller', async () => {
    const ask = (instance: string) =>
      gateway.post('/check', { namespace: 'default', instance }, { token: CONTROLLER_TOKEN });
    expect(await allOf(await ask('agent'))).not.toContain(CANARY);
    gateway.cluster.secrets.set('default/model-secret', { [API_KEY]: base64(`${CANARY} with a blank`) });
    const answer = await allOf(await ask('agent'));
    expect(answer).toContain('CredentialsNotFound');
    expect(answer).not.toContain(CANARY);
  });

  test('is not asked for with what the run sends: its own headers do not pass for the key', async () => {
    reply = (response) => response.writeHead(400).end('{}');
    const headers = { 'x-api-key': 'of the run', 'api-key': 'of the run', cookie: 'of=the-run' };
    await gateway.post('/v1/chat/completions', BODY, { headers });
    expect(JSON.stringify(seen)).not.toMatch(/of the run|of=the-run|token-of/);
  });
});

test('R8 one name of the key is documented, and it is the one that is read, for every provider that is served', async () => {
  const served = PROVIDERS.filter((name) => notServed(name) === undefined);
  expect(served).toEqual(['openai', 'anthropic', 'ollama', 'lm-studio']);
  for (const name of served) {
    const keys: string[] = [];
    const upstream = await startUpstream((request, response) => {
      keys.push(String(request.headers.authorization ?? request.headers['x-api-key']).replace('Bearer ', ''));
      response.writeHead(400, { 'content-type': 'application/json' }).end('{"error":{"message":"enough"}}');
    });
    const gateway = await startGateway({ name, model: 'm', baseURL: upstream.url, apiKeySecret: 'model-secret' });
    await gateway.post('/v1/chat/completions', BODY);
    gateway.cluster.secrets.set('default/model-secret', {
      OPENAI_API_KEY: base64('sk-other'),
      PROVIDER_API_KEY: base64('sk-other'),
    });
    const missing = await gateway.post('/v1/chat/completions', BODY);
    expect([keys, missing.status]).toEqual([[CANARY], 424]);
    await gateway.stop();
    await upstream.stop();
  }
});

test('R7 a key is found wherever an answer is cut', () => {
  const text = `before ${CANARY} after`;
  for (let at = 1; at < text.length; at += 1) {
    const redactor = new Redactor(CANARY);
    const pieces = [text.slice(0, at), text.slice(at)].map((piece) => redactor.push(Buffer.from(piece)).toString());
    expect(pieces.join('') + redactor.flush().toString()).toBe(`before ${'*'.repeat(CANARY.length)} after`);
  }
});

describe('P10 what a run can say', () => {
  test.each([
    ['another provider', { provider: { name: 'openai', baseURL: 'http://evil.example' } }],
    ['another address', { baseURL: 'http://evil.example', base_url: 'http://evil.example', api_base: 'http://evil.example' }],
    ['another key', { api_key: 'sk-mine', apiKeySecret: 'other' }],
    ['another model', { model: 'gpt-9' }],
  ])('%s: does not change whom the gateway asks, nor with which key', async (_what, more) => {
    const asked: { key: string | undefined; model: unknown }[] = [];
    const upstream = await startUpstream((request, response) => {
      let text = '';
      request.on('data', (data) => (text += String(data))).on('end', () => {
        asked.push({ key: request.headers.authorization, model: (JSON.parse(text) as { model: unknown }).model });
        response.end('{}');
      });
    });
    const gateway = await startGateway({ name: 'openai', model: 'm', baseURL: upstream.url, apiKeySecret: 'model-secret' });
    await gateway.post('/v1/chat/completions?base_url=http://evil.example', { ...BODY, ...more }, { headers: { 'x-forwarded-host': 'evil.example', forwarded: 'host=evil.example' } });
    expect(asked).toEqual([{ key: `Bearer ${CANARY}`, model: 'm' }]);
    await gateway.stop();
    await upstream.stop();
  }); // prettier-ignore
});
