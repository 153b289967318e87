import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { base64, CANARY, CONTROLLER_TOKEN, startGateway, startUpstream, TOKEN, type Running } from './support.ts';

interface Failure {
  readonly error: { readonly message: string; readonly type: string; readonly code: string };
}

const BODY = { messages: [{ role: 'user', content: 'hi' }] };

describe('who may call', () => {
  let gateway: Running;
  let upstream: Awaited<ReturnType<typeof startUpstream>>;
  let clock = 0;

  beforeEach(async () => {
    clock = 0;
    upstream = await startUpstream((_request, response) => response.end('{}'));
    gateway = await startGateway(
      { name: 'openai', model: 'm', baseURL: upstream.url, apiKeySecret: 'model-secret' },
      { now: () => clock },
    );
  });
  afterEach(async () => {
    await gateway.stop();
    await upstream.stop();
    expect(gateway.logs.join('')).not.toContain(CANARY);
    expect(gateway.logs.join('')).not.toContain(TOKEN);
  });

  const status = async (token = TOKEN): Promise<number> =>
    (await gateway.post('/v1/chat/completions', BODY, { token })).status;
  const failure = async (answer: Response): Promise<Failure['error']> => ((await answer.json()) as Failure).error;

  test('nobody without a token', async () => {
    const answer = await fetch(`${gateway.url}/v1/chat/completions`, { method: 'POST', body: '{}' });
    expect(answer.status).toBe(401);
    expect(answer.headers.get('x-should-retry')).toBe('false');
    expect(await failure(answer)).toEqual({
      message: 'no token was sent: send Authorization: Bearer <token>',
      type: 'authentication_error',
      code: 'invalid_token',
    });
  });

  test('nobody with a token that is not valid here', async () => {
    const answer = await gateway.post('/v1/chat/completions', BODY, { token: 'forged' });
    expect(answer.status).toBe(401);
    expect((await failure(answer)).message).toContain("not valid for audience 'sympozium-gateway'");
  });

  test.each([
    ['system:serviceaccount:default:default', 'not_a_run'],
    ['system:serviceaccount:default:run-other', 'run_not_found'],
    ['system:serviceaccount:elsewhere:run-hello', 'run_not_found'],
    ['kubernetes-admin', 'not_a_run'],
  ])('not %s', async (user, code) => {
    gateway.cluster.users.set('other', user);
    const answer = await gateway.post('/v1/chat/completions', BODY, { token: 'other' });
    expect(answer.status).toBe(403);
    expect((await failure(answer)).code).toBe(code);
  });

  test('the next run of a name is not taken for the one before it', async () => {
    expect(await status()).toBe(200);
    const other = await startUpstream((_request, response) => response.end('{"from":"elsewhere"}'));
    const instance = gateway.cluster.instances.get('default/agent');
    if (instance === undefined) throw new Error('the fake cluster has no instance');
    const provider = { ...instance.spec.provider, baseURL: other.url };
    gateway.cluster.instances.set('default/agent', { ...instance, spec: { provider } });
    gateway.cluster.users.set('token-of-the-next', 'system:serviceaccount:default:run-hello');
    const answer = await gateway.post('/v1/chat/completions', BODY, { token: 'token-of-the-next' });
    expect(await answer.json()).toEqual({ from: 'elsewhere' });
    await other.stop();
  });

  test('a run that has ended is refused after a minute at the latest', async () => {
    expect(await status()).toBe(200);
    gateway.cluster.setRun({ status: { phase: 'Succeeded' } });
    clock = 59_999;
    expect(await status()).toBe(200);
    clock = 60_000;
    expect(await status()).toBe(403);
  });

  test('a deleted run is refused after a minute at the latest', async () => {
    expect(await status()).toBe(200);
    gateway.cluster.runs.clear();
    clock = 60_000;
    expect(await status()).toBe(403);
  });

  test('a token that is withdrawn is refused after a minute at the latest', async () => {
    expect(await status()).toBe(200);
    gateway.cluster.users.delete(TOKEN);
    clock = 60_000;
    expect(await status()).toBe(401);
  });

  test.each([
    { status: { phase: 'Failed' } as const },
    { status: { phase: 'Cancelled' } as const },
    { cancelled: true },
    { metadata: { name: 'hello', deletionTimestamp: '2026-01-01T00:00:00Z' } },
  ])('a run that is over calls nothing: %j', async (change) => {
    gateway.cluster.setRun(change);
    const answer = await gateway.post('/v1/chat/completions', BODY);
    expect(answer.status).toBe(403);
    expect((await failure(answer)).code).toBe('run_finished');
  });

  test('calls at once share one look-up; a refusal is not kept', async () => {
    expect(await Promise.all(Array.from({ length: 20 }, () => status()))).toEqual(
      Array.from({ length: 20 }, () => 200),
    );
    expect(gateway.cluster.calls).toMatchObject({ reviewToken: 1, run: 1 });
    expect(await status('late')).toBe(401);
    gateway.cluster.users.set('late', 'system:serviceaccount:default:run-hello');
    expect(await status('late')).toBe(200);
  });

  test('an outage of Kubernetes is worth asking again', async () => {
    gateway.cluster.outage = new Error('connect ECONNREFUSED');
    const answer = await gateway.post('/v1/chat/completions', BODY);
    expect(answer.status).toBe(503);
    expect(answer.headers.get('x-should-retry')).toBe('true');
    expect((await failure(answer)).message).toBe('the gateway could not review the token: connect ECONNREFUSED');
    gateway.cluster.outage = undefined;
    expect(await status()).toBe(200);
  });

  test('a run whose instance is gone fails for that reason', async () => {
    gateway.cluster.instances.clear();
    const answer = await gateway.post('/v1/chat/completions', BODY);
    expect(answer.status).toBe(403);
    expect(answer.headers.get('x-sympozium-reason')).toBe('InstanceNotFound');
    expect((await failure(answer)).message).toBe(
      "SympoziumInstance 'agent' of AgentRun 'hello' is not in namespace 'default' any more: create it, then the run again",
    );
  });

  test('a missing Secret is told with what to create', async () => {
    gateway.cluster.secrets.clear();
    const answer = await gateway.post('/v1/chat/completions', BODY);
    expect(answer.status).toBe(424);
    expect(answer.headers.get('x-sympozium-reason')).toBe('CredentialsNotFound');
    expect(answer.headers.get('x-should-retry')).toBe('false');
    expect((await failure(answer)).message).toBe(
      "Secret 'model-secret' with the API key for provider 'openai' was not found in namespace 'default': " +
        'create it with: kubectl create secret generic model-secret --from-literal=apiKey=... --namespace default',
    );
  });

  test.each<[Record<string, string>, string]>([
    [{ 'api-key': base64('sk-hidden') }, "has no key 'apiKey', it has 'api-key'"],
    [{}, "has no key 'apiKey', it is empty"],
    [{ apiKey: '' }, "has an empty 'apiKey'"],
    [{ apiKey: base64('\n') }, "has an empty 'apiKey'"],
    [{ apiKey: base64('two words') }, "holds a 'apiKey' with spaces or characters that are not ASCII"],
  ])('a Secret %j is told with what is wrong', async (data, problem) => {
    gateway.cluster.secrets.set('default/model-secret', data);
    const answer = await gateway.post('/v1/chat/completions', BODY);
    expect(answer.status).toBe(424);
    const { message } = await failure(answer);
    expect(message).toContain(`namespace 'default' ${problem}: set it with: kubectl patch secret model-secret`);
    expect(message).not.toContain('hidden');
  });

  test('a key that is rotated counts from the next call', async () => {
    const keys: (string | undefined)[] = [];
    const provider = await startUpstream((request, response) => {
      keys.push(request.headers.authorization);
      response.end('{}');
    });
    const own = await startGateway({ name: 'openai', model: 'm', baseURL: provider.url, apiKeySecret: 'model-secret' });
    await own.post('/v1/chat/completions', BODY);
    own.cluster.secrets.set('default/model-secret', { apiKey: base64('rotated\n') });
    await own.post('/v1/chat/completions', BODY);
    expect(keys).toEqual([`Bearer ${CANARY}`, 'Bearer rotated']);
    await own.stop();
    await provider.stop();
  });

  describe('/check', () => {
    const check = (body: object, token = CONTROLLER_TOKEN) => gateway.post('/check', body, { token });

    test('says that an instance is ready', async () => {
      const answer = await check({ namespace: 'default', instance: 'agent' });
      expect([answer.status, await answer.json()]).toEqual([200, { ready: true }]);
    });

    test('says that credentials are missing, and sees them as soon as they are there', async () => {
      const secret = gateway.cluster.secrets.get('default/model-secret') ?? {};
      gateway.cluster.secrets.clear();
      expect(await (await check({ namespace: 'default', instance: 'agent' })).json()).toEqual({
        ready: false,
        reason: 'CredentialsNotFound',
        message: expect.stringContaining("Secret 'model-secret'"),
      });
      gateway.cluster.secrets.set('default/model-secret', secret);
      expect(await (await check({ namespace: 'default', instance: 'agent' })).json()).toEqual({ ready: true });
    });

    test('R9 says which Secret of a skill is missing', async () => {
      const ask = async (secrets: unknown) =>
        (await check({ namespace: 'default', instance: 'agent', secrets })).json();
      expect(await ask(['git-token'])).toEqual({
        ready: false,
        reason: 'SecretNotFound',
        message: "Secret 'git-token' of a skill is not in namespace 'default': create it there, then the run again",
      });
      gateway.cluster.secrets.set('default/git-token', {});
      expect(await ask(['git-token'])).toEqual({ ready: true });
      expect((await check({ namespace: 'default', instance: 'agent', secrets: ['../x'] })).status).toBe(400);
    });

    test('says that there is no such instance', async () => {
      expect(await (await check({ namespace: 'default', instance: 'nobody' })).json()).toEqual({
        ready: false,
        reason: 'InstanceNotFound',
        message: "SympoziumInstance 'nobody' was not found in namespace 'default'",
      });
    });

    test('refuses everybody else, and what is no name', async () => {
      expect((await check({ namespace: 'default', instance: 'agent' }, TOKEN)).status).toBe(403);
      expect((await check({ namespace: 'default', instance: 'agent' }, 'forged')).status).toBe(401);
      const answer = await check({ namespace: '../kube-system', instance: 'agent' });
      expect([answer.status, (await failure(answer)).message]).toEqual([
        400,
        `'namespace' must be the name of an object, got "../kube-system"`,
      ]);
    });

    test('the controller calls no models', async () => {
      const answer = await gateway.post('/v1/chat/completions', BODY, { token: CONTROLLER_TOKEN });
      expect(answer.status).toBe(403);
    });
  });
});
