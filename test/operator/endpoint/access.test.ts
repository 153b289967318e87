import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import OpenAI from 'openai';
import { Harness, KEY } from './harness.ts';

let endpoint: Harness;
const messages = [{ role: 'user' as const, content: 'hello' }];

beforeAll(async () => {
  endpoint = await Harness.start({ requestsPerMinute: 3 });
});
afterAll(async () => {
  await endpoint.stop();
});

const refused = (apiKey: string) =>
  endpoint
    .client(apiKey)
    .chat.completions.create({ model: 'nobody', messages })
    .then(
      () => undefined,
      (error: unknown) => error as InstanceType<typeof OpenAI.APIError>,
    );
const get = (path: string, headers: Record<string, string> = {}) => fetch(endpoint.url + path, { headers });
const mine = { authorization: `Bearer ${KEY}` };

describe('The key', () => {
  test.each([
    ['another', 'not-the-key-of-it'],
    ['a part of it', KEY.slice(0, -1)],
    ['more than it', `${KEY}x`],
  ])('%s is refused', async (_, sent) => {
    const error = await refused(sent);
    expect(error).toBeInstanceOf(OpenAI.AuthenticationError);
    expect(error).toMatchObject({ status: 401, code: 'invalid_api_key', type: 'authentication_error' });
    expect(await endpoint.runs()).toEqual([]);
  });

  test('is asked for everywhere but by probes', async () => {
    expect((await get('/v1/models')).status).toBe(401);
    expect((await get('/healthz')).status).toBe(200);
    expect((await get('/readyz')).status).toBe(200);
  });

  test('that is changed in its Secret counts at once; without a good one there is no endpoint', async () => {
    endpoint.setKey('another-key-of-the-tests\n');
    expect((await get('/v1/models', mine)).status).toBe(401);
    expect((await get('/v1/models', { authorization: 'bearer another-key-of-the-tests' })).status).toBe(200);
    for (const [key, problem] of [
      ['short', 'has 5 characters: expected at least 16'],
      ['', 'there is no key'],
    ] as const) {
      endpoint.setKey(key);
      expect((await get('/v1/models', { authorization: `Bearer ${key}` })).status).toBe(503);
      const probe = await get('/readyz');
      expect([probe.status, await probe.text()]).toEqual([503, expect.stringContaining(problem)]);
    }
    endpoint.setKey(KEY);
  });

  test('is never logged', () => {
    expect(endpoint.log.lines.length).toBeGreaterThan(0);
    expect(endpoint.log.said(KEY)).toBe(false);
  });
});

describe('What there is', () => {
  test('one model, which is the instance', async () => {
    const client = endpoint.client();
    expect((await client.models.list()).data).toMatchObject([{ id: 'helper', object: 'model', owned_by: 'sympozium' }]);
    expect(await client.models.retrieve('helper')).toMatchObject({ id: 'helper' });
  });

  test('nothing else', async () => {
    const response = await get('/v1/files', mine);
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ error: { code: 'unknown_path', type: 'not_found_error' } });
  });
});

test('Requests beyond the limit are told when to come again, and those with a wrong key do not count', async () => {
  for (let count = 0; count < 5; count += 1) await refused('not-the-key-of-it');
  for (let count = 0; count < 3; count += 1) expect((await refused(KEY))?.status).toBe(404); // no such model
  const error = await refused(KEY);
  expect(error).toBeInstanceOf(OpenAI.RateLimitError);
  expect(error?.code).toBe('rate_limit_exceeded');
  const seconds = Number(error?.headers?.get('retry-after'));
  expect(seconds).toBeGreaterThan(0);
  expect(seconds).toBeLessThanOrEqual(20);
});
