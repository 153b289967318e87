import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { EffectivePolicy } from '../../../lib/policy/effective.ts';
import { Fetcher, type Fetched, type Wanted } from '../../../operator/gateway/fetch/fetcher.ts';
import { Guard } from '../../../operator/gateway/fetch/guard.ts';
import { eventually } from '../../support/eventually.ts';
import { CANARY, CONTROLLER_TOKEN, policyOf, startGateway, TODAY, TOKEN, type Running } from './support.ts';

const PROVIDER = { name: 'openai', model: 'm', apiKeySecret: 'model-secret' } as const;

describe('POST /fetch', () => {
  let gateway: Running;
  let wanted: { what: Wanted; policy: EffectivePolicy; gone: AbortSignal }[];
  let answer: () => Promise<Fetched>;

  beforeEach(async () => {
    wanted = [];
    answer = () => Promise.resolve({ ok: true, content: 'hello' });
    gateway = await startGateway(PROVIDER, {
      fetcher: {
        fetch: (what, policy, gone) => {
          wanted.push({ what, policy, gone });
          return answer();
        },
      },
    });
  });
  afterEach(async () => {
    await gateway.stop();
    expect(gateway.logs.join('')).not.toContain(CANARY);
    expect(gateway.logs.join('')).not.toContain(TOKEN);
  });

  const post = (body: object, token?: string) => gateway.post('/fetch', body, token === undefined ? {} : { token });
  const errorOf = async (response: Response) =>
    ((await response.json()) as { error: { code: string; message: string } }).error;

  test('answers what was fetched', async () => {
    const response = await post({ url: 'https://example.com/', as: 'source', max_bytes: 100 });
    expect([response.status, await response.json()]).toEqual([200, { ok: true, content: 'hello' }]);
    expect(wanted[0]?.what).toEqual({ url: 'https://example.com/', source: true, maxBytes: 100 });
    expect(gateway.cluster.calls.secret).toBe(0);
  });

  test('P10 nothing in the request changes how fetches are guarded', async () => {
    const tricks = {
      allow_private: true,
      SYMPOZIUM_FETCH_URL_ALLOW_PRIVATE: 'true',
      policy: { egress: [] },
      method: 'POST',
    };
    await post({ url: 'https://example.com/', headers: { host: 'localhost' }, ...tricks });
    expect(wanted[0]?.what).toEqual({ url: 'https://example.com/', source: false, maxBytes: 65_536 });
    expect(wanted[0]?.policy.name).toBe('permissive');
  });

  test.each([
    [{}, "'url' must be a text, got undefined"],
    [{ url: 7 }, "'url' must be a text, got number"],
    [{ url: 'x', max_bytes: 0 }, "'max_bytes' must be a whole number above 0, got 0"],
    [{ url: 'x', max_bytes: '9' }, `'max_bytes' must be a whole number above 0, got "9"`],
  ])('%j is refused', async (body, message) => {
    const response = await post(body);
    expect(response.status).toBe(400);
    expect((await errorOf(response)).message).toBe(message);
    expect(wanted).toEqual([]);
  });

  test('only runs fetch', async () => {
    expect((await post({ url: 'x' }, 'forged')).status).toBe(401);
    expect((await post({ url: 'x' }, CONTROLLER_TOKEN)).status).toBe(403);
    gateway.cluster.setRun({ status: { phase: 'Succeeded' } });
    expect((await post({ url: 'x' })).status).toBe(403);
    expect(wanted).toEqual([]);
  });

  test('T8 is not below /v1, where agents may ask for what they like', async () => {
    for (const path of ['/v1/fetch', '/fetch/', '/FETCH']) {
      expect((await gateway.post(path, { url: 'x' })).status).toBe(404);
    }
    expect(wanted).toEqual([]);
  });

  test('a denial is an answer, and is audited with the hash of the arguments', async () => {
    answer = () => Promise.resolve({ ok: false, content: 'denied', denied: "policy 'x' allows no connections" });
    const response = await post({ url: 'https://example.com/?secret' });
    expect(await response.json()).toMatchObject({ ok: false, denied: "policy 'x' allows no connections" });
    const line = JSON.parse(await gateway.logged('Audit')) as object;
    expect(line).toMatchObject({
      ...{
        message: 'Audit',
        v: 1,
        uid: 'uid-of-hello',
        at: TODAY,
        namespace: 'default',
        run: 'hello',
        instance: 'agent',
      },
      ...{ requestedBy: 'jane', action: 'fetch', tool: 'fetch_url', verdict: 'denied' },
      rule: "policy 'x' allows no connections",
      argumentsHash: createHash('sha256').update('{"url":"https://example.com/?secret"}').digest('hex'),
    });
    expect(gateway.logs.join('')).not.toContain('?secret');
  });

  test('T8 a run has eight fetches at once, and leaves room for the others', async () => {
    const done = Promise.withResolvers<Fetched>();
    answer = () => done.promise;
    const eight = Array.from({ length: 8 }, () => post({ url: 'x' }));
    await eventually(() => wanted.length === 8);
    const ninth = await post({ url: 'x' });
    expect([ninth.status, ninth.headers.get('x-should-retry')]).toEqual([429, 'true']);
    expect((await errorOf(ninth)).code).toBe('too_many_fetches');
    done.resolve({ ok: true, content: '' });
    for (const response of await Promise.all(eight)) expect(response.status).toBe(200);
    expect((await post({ url: 'x' })).status).toBe(200);
  });

  test('a place is free again when a fetch fails, or its run hangs up', async () => {
    answer = () => Promise.reject(new Error('broken'));
    for (let count = 0; count < 10; count += 1) expect((await post({ url: 'x' })).status).toBe(500);
    answer = () => new Promise(() => undefined);
    const hangUp = new AbortController();
    const response = fetch(`${gateway.url}/fetch`, {
      method: 'POST',
      headers: { authorization: `Bearer ${TOKEN}` },
      body: '{"url":"x"}',
      signal: hangUp.signal,
    });
    await eventually(() => wanted.length === 11);
    hangUp.abort();
    await expect(response).rejects.toThrow();
    await eventually(() => wanted.at(-1)?.gone.aborted);
  });
});

test('T8 P4 a stricter policy holds for the next fetch', async () => {
  const guard = new Guard({
    resolve: () => Promise.resolve(['127.0.0.1']),
    ownAt: () => Promise.resolve(undefined),
    cluster: [],
  });
  const gateway = await startGateway(PROVIDER, { fetcher: new Fetcher({ guard }) });
  const denied = async () =>
    ((await (await gateway.post('/fetch', { url: 'http://a.example/' })).json()) as Fetched).denied;
  expect(await denied()).toContain('a loopback address');
  gateway.cluster.own = policyOf('shut', { template: 'Permissive', egress: { mode: 'None' } });
  expect(await denied()).toBe("policy 'shut' allows no connections (egress.mode None)");
  gateway.cluster.own = policyOf('web', { template: 'Permissive', egress: { mode: 'Web' } });
  gateway.cluster.floors = [
    policyOf('floor', { template: 'Permissive', egress: { mode: 'All', hosts: ['b.example'] } }),
  ];
  expect(await denied()).toBe("floor policy 'floor' does not list 'a.example' in egress.hosts");
  await gateway.stop();
});
