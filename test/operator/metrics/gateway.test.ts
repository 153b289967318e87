import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { CANARY, startGateway, startUpstream, type Running } from '../gateway/support.ts';
import { measure, type Scrape } from './scrape.ts';

type Upstream = Awaited<ReturnType<typeof startUpstream>>;

const QUESTION = { model: 'x', messages: [{ role: 'user', content: 'the-prompt' }] };
const ANSWER = { choices: [], usage: { prompt_tokens: 700, completion_tokens: 30 } };
const CALL = {
  'gen_ai_operation_name': 'chat',
  'gen_ai_provider_name': 'openai',
  'gen_ai_request_model': 'model-of-the-instance',
  'run_namespace': 'default',
}; // prettier-ignore
const COUNT = 'gen_ai_client_operation_duration_seconds_count';

let scrape: () => Promise<Scrape>;
let provider: Upstream;
let gateway: Running;
/** How the provider answers. */
let behave: Parameters<typeof startUpstream>[0];

beforeEach(async () => {
  scrape = measure('gateway');
  provider = await startUpstream((request, response) => {
    behave(request, response);
  });
  const baseURL = provider.url;
  gateway = await startGateway({
    name: 'openai',
    model: CALL.gen_ai_request_model,
    baseURL,
    apiKeySecret: 'model-secret',
  });
});
afterEach(async () => {
  await gateway.stop();
  await provider.stop();
});

const ask = async (path: string, token?: string): Promise<string> =>
  (await gateway.post(path, QUESTION, token === undefined ? {} : { token })).text();

test('a call is counted with its model, its answer and its tokens, and with nothing that was said', async () => {
  let inFlight: number | undefined;
  behave = (_, response) => {
    void scrape().then(({ value }) => {
      inFlight = value('sympozium_gateway_calls_in_flight');
      response.end(JSON.stringify(ANSWER));
    });
  };
  await ask('/v1/chat/completions');
  await gateway.logged('Answered');
  const { value, values, text } = await scrape();
  expect(value(COUNT, { ...CALL, http_response_status_code: '200' })).toBe(1);
  expect(values(COUNT, 'error_type')).toEqual(['']);
  expect(value('gen_ai_client_token_usage_sum', { ...CALL, gen_ai_token_type: 'input' })).toBe(700);
  expect(value('gen_ai_client_token_usage_sum', { ...CALL, gen_ai_token_type: 'output' })).toBe(30);
  expect([inFlight, value('sympozium_gateway_calls_in_flight')]).toEqual([1, 0]);
  expect(value('sympozium_gateway_refused_total')).toBeUndefined();
  for (const secret of [CANARY, 'the-prompt', 'token-of-run-hello', 'hello', provider.url])
    expect(text).not.toContain(secret);
});

test("the provider's refusal is a call that failed, not one that we refused", async () => {
  behave = (_, response) => response.writeHead(429).end('{}');
  await ask('/v1/chat/completions');
  await gateway.logged('Answered');
  const { value } = await scrape();
  expect(value(COUNT, { ...CALL, http_response_status_code: '429', error_type: '429' })).toBe(1);
  expect(value('sympozium_gateway_refused_total')).toBeUndefined();
});

test('an answer that broke off is told from a whole one', async () => {
  behave = (_, response) => {
    response.writeHead(200, { 'content-length': '1000' }).write('half', () => response.destroy());
  };
  await ask('/v1/chat/completions').catch(() => undefined);
  await gateway.logged('Cut');
  const { value } = await scrape();
  expect(value(COUNT, { ...CALL, http_response_status_code: '200', error_type: 'cut' })).toBe(1);
  expect(value('sympozium_gateway_calls_in_flight')).toBe(0);
});

test.each([
  ['/v1/chat/completions', 'a-stolen-token', 'invalid_token'],
  ['/v1/what-i-made-up', undefined, 'unknown_path'],
  ['/check', undefined, 'not_the_controller'],
])('what is refused at %s is counted with the reason', async (path, token, reason) => {
  behave = (_, response) => response.end('{}');
  await ask(path, token);
  await gateway.logged('Refused');
  const { samples, text } = await scrape();
  expect(samples.filter(({ name }) => name === 'sympozium_gateway_refused_total')).toEqual([
    { name: 'sympozium_gateway_refused_total', labels: { reason }, value: 1 },
  ]);
  expect(text).not.toMatch(/what-i-made-up|a-stolen-token|operation_duration_seconds_count/);
});

test('a call that cannot be made is both a failed call and a refusal', async () => {
  gateway.cluster.secrets.clear();
  await ask('/v1/chat/completions');
  await gateway.logged('Refused');
  const { value } = await scrape();
  expect(value(COUNT, { ...CALL, http_response_status_code: '424', error_type: 'credentials_not_found' })).toBe(1);
  expect(value('sympozium_gateway_refused_total', { reason: 'credentials_not_found' })).toBe(1);
});

test('a mistake of our own is counted as one, and its log holds no prompt', async () => {
  gateway.cluster.secret = () => {
    throw new RangeError('the-prompt');
  };
  // What the cluster throws becomes "kubernetes_unavailable"; this comes from deeper within.
  gateway.cluster.instances.set('default/agent', undefined as never);
  gateway.cluster.instance = () => Promise.resolve({ spec: undefined } as never);
  await ask('/v1/chat/completions');
  const line = await gateway.logged('"Failed"');
  expect(line).toContain('TypeError');
  expect((await scrape()).value('sympozium_gateway_refused_total', { reason: 'internal_error' })).toBe(1);
});
