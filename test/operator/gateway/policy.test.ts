import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { ProviderSpec } from '../../../operator/gateway/cluster.ts';
import { CANARY, policyOf, startGateway, startUpstream, TODAY, TOKEN, type Running } from './support.ts';

interface Failure {
  readonly error: { readonly message: string; readonly type: string; readonly code: string };
}

const BODY = { messages: [{ role: 'user', content: 'hi' }] };
const CHAT = '/v1/chat/completions';
const RESPONSES = '/v1/responses';

let upstream: Awaited<ReturnType<typeof startUpstream>>;
let gateway: Running;
let reached: string[] = [];

const start = async (provider: Partial<ProviderSpec> = {}) => {
  gateway = await startGateway({
    name: 'openai',
    model: 'gpt-4o',
    baseURL: upstream.url,
    apiKeySecret: 'model-secret',
    ...provider,
  });
};
beforeEach(async () => {
  reached = [];
  upstream = await startUpstream((request, response) => {
    reached.push(request.url ?? '');
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
  });
  await start();
});
afterEach(async () => {
  await gateway.stop();
  await upstream.stop();
  expect(gateway.logs.join('')).not.toContain(CANARY);
  expect(gateway.logs.join('')).not.toContain(TOKEN);
});

const audits = () =>
  gateway.logs.map((line) => JSON.parse(line) as Record<string, unknown>).filter(({ message }) => message === 'Audit');
const failure = async (answer: Response): Promise<Failure['error']> => ((await answer.json()) as Failure).error;

describe('P4 which models may be asked', () => {
  const only = (...allowed: string[]) => policyOf('strict', { template: 'Permissive', models: { allowed } });

  test.each([CHAT, RESPONSES, '/v1/embeddings'])(
    '%s: a model that the policy does not list is not asked',
    async (path) => {
      gateway.cluster.own = only('openai/gpt-4o-mini', 'anthropic/*');
      const answer = await gateway.post(path, BODY);
      expect(answer.status).toBe(403);
      expect(answer.headers.get('x-sympozium-reason')).toBe('ModelDenied');
      expect(answer.headers.get('x-should-retry')).toBe('false');
      expect(await failure(answer)).toEqual({
        message:
          "model 'openai/gpt-4o' was denied, because policy 'strict' does not list it in models.allowed: " +
          'give the instance a model that is allowed, or have the policy changed',
        type: 'permission_error',
        code: 'model_denied',
      });
      expect(reached).toEqual([]);
      expect(gateway.cluster.calls.secret).toBe(0);
    },
  );

  test('nor are its models listed', async () => {
    gateway.cluster.own = only('anthropic/*');
    const answer = await fetch(`${gateway.url}/v1/models`, { headers: { authorization: `Bearer ${TOKEN}` } });
    expect(answer.status).toBe(403);
    expect(reached).toEqual([]);
  });

  test('a floor of the administrator holds over a permissive policy', async () => {
    gateway.cluster.floors = [only('openai/gpt-4o-mini')];
    expect((await failure(await gateway.post(CHAT, BODY))).message).toContain("floor policy 'strict' does not list it");
  });

  test.each([['openai/*'], ['*'], ['openai/gpt-4o']])('%s allows it', async (pattern) => {
    gateway.cluster.own = only(pattern);
    expect((await gateway.post(CHAT, BODY)).status).toBe(200);
  });

  test('the model that the agent names changes nothing', async () => {
    gateway.cluster.own = only('openai/gpt-4o-mini');
    expect((await gateway.post(CHAT, { ...BODY, model: 'gpt-4o-mini' })).status).toBe(403);
    expect(reached).toEqual([]);
  });

  test('a stricter policy, and another model of the instance, hold for the next call', async () => {
    expect((await gateway.post(CHAT, BODY)).status).toBe(200);
    gateway.cluster.own = only('openai/gpt-4o-mini');
    expect((await gateway.post(CHAT, BODY)).status).toBe(403);
    const instance = gateway.cluster.instances.get('default/agent');
    if (instance === undefined) throw new Error('the fake cluster has no instance');
    const provider = { ...instance.spec.provider, model: 'gpt-4o-mini' };
    gateway.cluster.instances.set('default/agent', { ...instance, spec: { provider } });
    expect((await gateway.post(CHAT, BODY)).status).toBe(200);
    expect(gateway.cluster.calls).toMatchObject({ reviewToken: 1, run: 1 });
  });

  test('without its policy a run may ask nothing', async () => {
    gateway.cluster.own = undefined;
    const answer = await gateway.post(CHAT, BODY);
    expect([answer.status, (await failure(answer)).code]).toEqual([403, 'policy_not_found']);
    expect(answer.headers.get('x-sympozium-reason')).toBe('ModelDenied');
    expect(reached).toEqual([]);
  });

  test('a denial is audited: who, what and by which rule', async () => {
    gateway.cluster.own = only('anthropic/*');
    await gateway.post(CHAT, BODY);
    await gateway.logged('Refused');
    expect(audits()).toEqual([
      expect.objectContaining({
        level: 'warn',
        v: 1,
        uid: 'uid-of-hello',
        at: TODAY,
        namespace: 'default',
        run: 'hello',
        instance: 'agent',
        requestedBy: 'jane',
        action: 'model',
        verdict: 'denied',
        rule: expect.stringContaining("policy 'strict'"),
      }),
    ]);
    gateway.cluster.own = only('*');
    await gateway.post(CHAT, BODY);
    expect(audits()).toHaveLength(1);
  });
});

describe('N2 what a provider would do by itself is a way out too', () => {
  const web = policyOf('web', { template: 'Default' });
  const image = (url: string) => ({
    messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url } }] }],
  });
  const input = (part: object) => ({ input: [{ role: 'user', content: [part] }] });
  let deep: unknown = { type: 'image_url', image_url: { url: 'https://evil.example/?secret' } };
  for (let depth = 0; depth < 500; depth += 1) deep = [deep];

  const hosted: readonly [path: string, what: string, body: object][] = [
    [CHAT, "the provider's own tool 'web_search'", { tools: [{ type: 'web_search' }] }],
    [CHAT, "the provider's own tool 'web_search_preview'", { tools: [{ type: 'function', function: { name: 'x' } }, { type: 'web_search_preview' }] }],
    [CHAT, "the provider's own tool 'Function'", { tools: [{ type: 'Function' }] }],
    [CHAT, "the provider's own tool 'without a type'", { tools: [{ type: ['function'] }] }],
    [CHAT, "the provider's own tool 'without a type'", { tools: [{ google_search: {} }] }],
    [CHAT, "the provider's own tool 'without a type'", { tools: ['web_search'] }],
    [CHAT, "the provider's own tool 'mcp'", { tools: { type: 'mcp' } }],
    [CHAT, "the provider's own 'web_search_options'", { web_search_options: {} }],
    [CHAT, "the provider's own 'plugins'", { plugins: [{ id: 'web' }] }],
    [CHAT, "the provider's own 'search_parameters'", { search_parameters: { mode: 'on' } }],
    [CHAT, "the provider's own 'data_sources'", { data_sources: [{ type: 'azure_search' }] }],
    [CHAT, 'content that the provider gets from an address (image_url)', image('https://evil.example/?secret')],
    [CHAT, 'content that the provider gets from an address (image_url)', image('gs://bucket/secret')],
    [CHAT, 'content that the provider gets from an address (image_url)', { messages: [{ role: 'user', content: deep }] }],
    [RESPONSES, "the provider's own tool 'web_search'", { input: 'hi', tools: [{ type: 'web_search' }] }],
    [RESPONSES, "the provider's own tool 'code_interpreter'", { input: 'hi', tools: [{ type: 'code_interpreter', container: { type: 'auto' } }] }],
    [RESPONSES, "the provider's own tool 'mcp'", { input: 'hi', tools: [{ type: 'mcp', server_url: 'https://evil.example' }] }],
    [RESPONSES, "the provider's own tool 'file_search'", { input: 'hi', tools: [{ type: 'file_search', vector_store_ids: ['v'] }] }],
    [RESPONSES, "the provider's own 'prompt'", { input: 'hi', prompt: { id: 'pmpt_1' } }],
    [RESPONSES, 'content that the provider gets from an address (image_url)', input({ type: 'input_image', image_url: 'https://evil.example/?secret' })],
    [RESPONSES, 'content that the provider gets from an address (file_url)', input({ type: 'input_file', file_url: 'https://evil.example/?secret' })],
  ]; // prettier-ignore

  test.each(hosted)('%s: %s is denied where egress is not wide open', async (path, what, more) => {
    gateway.cluster.own = web;
    const answer = await gateway.post(path, { ...BODY, ...more });
    expect(answer.status).toBe(403);
    expect(answer.headers.get('x-sympozium-reason')).toBe('ModelDenied');
    expect(await failure(answer)).toMatchObject({
      code: 'hosted_tool_denied',
      message: `${what} was denied, because policy 'web' says egress.mode Web, which a provider would not know of: use tools of the agent, or have the policy say egress.mode All without hosts`,
    });
    expect(reached).toEqual([]);
    expect(audits()).toHaveLength(1);
  });

  test.each(hosted)('%s: %s passes where it is', async (path, _what, more) => {
    expect((await gateway.post(path, { ...BODY, ...more })).status).toBe(200);
  });

  test.each([
    ['mode None', policyOf('shut', { template: 'Permissive', egress: { mode: 'None' } }), 'says egress.mode None'],
    ['a list of hosts', policyOf('some', { template: 'Permissive', egress: { mode: 'All', hosts: ['a.example'] } }), 'lists hosts (egress.hosts)'],
  ])('%s denies it as well', async (_what, policy, because) => {
    gateway.cluster.own = policy;
    const answer = await gateway.post(CHAT, { ...BODY, web_search_options: {} });
    expect((await failure(answer)).message).toContain(because);
  }); // prettier-ignore

  test.each([
    [
      CHAT,
      {
        tools: [
          { type: 'function', function: { name: 'web_search' } },
          { type: 'custom', custom: { name: 'x' } },
        ],
      },
    ],
    [CHAT, { tools: [{ function: { name: 'x' } }], web_search_options: null, plugins: false }],
    [CHAT, { tools: null }],
    [CHAT, image('data:image/png;base64,AAAA')],
    [CHAT, { messages: [{ role: 'user', content: 'what is "image_url": "https://example.com/"?' }] }],
    [RESPONSES, { input: 'hi', tools: [{ type: 'function', name: 'x' }], prompt: null }],
    [RESPONSES, input({ type: 'input_image', image_url: 'data:image/png;base64,AAAA' })],
    ['/v1/embeddings', { input: ['a', 'b'] }],
  ])('%s: what comes back to the agent passes under every policy: %j', async (path, more) => {
    gateway.cluster.own = policyOf('shut', { template: 'Permissive', egress: { mode: 'None' } });
    expect((await gateway.post(path, { ...BODY, ...more })).status).toBe(200);
  });

  describe('spoken to Anthropic', () => {
    beforeEach(async () => {
      await gateway.stop();
      await start({ name: 'anthropic', model: 'claude' });
    });

    test('hosted tools are denied where egress is not wide open', async () => {
      gateway.cluster.own = web;
      const answer = await gateway.post(CHAT, {
        ...BODY,
        tools: [{ type: 'web_search_20250305', name: 'web_search' }],
      });
      expect((await failure(answer)).code).toBe('hosted_tool_denied');
      expect(reached).toEqual([]);
    });

    test('and never passed on, because nobody translates them', async () => {
      const tools = [{ type: 'web_search_20250305', name: 'web_search' }];
      const answer = await gateway.post(CHAT, { ...BODY, tools, mcp_servers: [{ url: 'https://evil.example' }] });
      expect((await failure(answer)).code).toBe('invalid_request');
      expect(reached).toEqual([]);
    });
  });
});
