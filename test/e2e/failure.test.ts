import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { AgentRunStatus } from '../../lib/api/v1alpha1/agent-run.ts';
import { JOBS } from '../../operator/kube/resources.ts';
import { World } from './support/world.ts';

describe('a run that fails', () => {
  let world: World;
  beforeAll(async () => {
    world = await World.create('failure');
  });
  afterAll(() => world.destroy());

  const expectFailed = (status: AgentRunStatus | undefined, reason: string, message: RegExp) => {
    expect(status).toMatchObject({ phase: 'Failed', reason });
    expect(status?.message).toMatch(message);
  };

  test.each([
    ['http-500', 'ModelError', /500.*the mock fails/],
    ['http-401', 'ModelError', /401|API key/],
    ['http-429', 'ModelError', /429.*busy/],
  ])('says what the provider said: %s', async (scenario, reason, message) => {
    const { status } = await world.run(scenario, { input: `scenario:${scenario}` });
    expectFailed(status, reason, message);
    await world.gone(JOBS, `run-${scenario}`);
    expect(await world.reasons(scenario, reason)).toEqual(['Started', reason]);
  });

  test('ends a loop of tool calls at the limit of model calls', async () => {
    await world.instance('looping', { limits: { modelCallsPerRun: 4 } });
    const { status } = await world.run('loop', { instanceRef: 'looping', input: 'scenario:endless' });
    expectFailed(status, 'ModelCallLimit', /4/);
    expect(status?.usage?.modelCalls).toBe(4);
  });

  test('ends at its deadline', async () => {
    const { status } = await world.run('late', { input: 'scenario:hang', timeout: '4s' });
    expectFailed(status, 'DeadlineExceeded', /4s|4 s/);
    const seconds = (Date.parse(status?.completionTime ?? '') - Date.parse(status?.startTime ?? '')) / 1000;
    expect(seconds).toBeGreaterThanOrEqual(4);
    expect(seconds).toBeLessThanOrEqual(7);
  });

  test('ends when it is cancelled', async () => {
    await world.start('cancelled', { input: 'scenario:hang' });
    await world.running('cancelled');
    await world.kubectl(['patch', 'ar', 'cancelled', '--type=merge', '-p', '{"spec":{"cancelled":true}}']);
    expect((await world.ended('cancelled')).status).toMatchObject({ phase: 'Cancelled' });
    await world.gone(JOBS, 'run-cancelled');
  });

  test.each([
    ['an image that is nowhere', { image: 'localhost/not-there:1' }, 'ImagePullFailed', /not-there/],
    ['an image whose name is none', { image: 'NOT AN IMAGE' }, 'ImagePullFailed', /NOT AN IMAGE|InvalidImageName/],
  ])('%s', async (title, agent, reason, message) => {
    const name = title.replaceAll(/\W+/g, '-');
    await world.instance(name, { agent });
    expectFailed((await world.run(name, { instanceRef: name, input: 'x' })).status, reason, message);
  });

  describe('an agent of one’s own that', () => {
    const own = async (name: string, script: string) => {
      const image = (await world.kubectl(['get', 'deploy', '-n', 'sympozium-system', 'sympozium-controller', '-o', 'jsonpath={.spec.template.spec.containers[0].image}'])).trim(); // prettier-ignore
      await world.instance(name, { agent: { image, command: ['sh', '-c', script] } });
      return (await world.run(name, { instanceRef: name, input: 'x' })).status;
    };

    test('crashes', async () => {
      const status = await own('crash', 'echo the disk is on fire >&2; exit 7');
      expectFailed(status, 'AgentCrashed', /exit code 7.*the disk is on fire/s);
    });

    test('ends without a word', async () => {
      expectFailed(await own('silent', 'exit 0'), 'NoResult', /without a result/);
    });

    test('eats all its memory', async () => {
      const eat = 'node --max-old-space-size=4000 -e "const a=[]; for(;;) a.push(Buffer.alloc(16*1024*1024, 1))"';
      expectFailed(await own('hungry', `exec ${eat}`), 'AgentOutOfMemory', /512 MiB/);
    });

    test('has a command that does not exist', async () => {
      const image = 'localhost/sympozium-base:node24';
      await world.instance('no-command', { agent: { image, command: ['/no/such/program'] } });
      const { status } = await world.run('no-command', { instanceRef: 'no-command', input: 'x' });
      expectFailed(status, 'ContainerCannotStart', /no such/);
    });

    test('writes a result that is none', async () => {
      const script = 'echo "{ not json" > /ipc/out/.a && mv /ipc/out/.a /ipc/out/000001-result.json; sleep 20';
      expectFailed(await own('no-result', script), 'ProtocolError', /000001-result\.json.*JSON/);
    });

    test('writes files that are no messages is told so, and lives on', async () => {
      const script = [
        'until ls /ipc/in/*-task.json; do :; done',
        'echo "{ not json" > /ipc/out/.a && mv /ipc/out/.a /ipc/out/000001-log.json',
        'until ls /ipc/in/*-rejected.json; do :; done',
        "why=$(sed 's/[^a-zA-Z ]/ /g' /ipc/in/*-rejected.json)",
        'printf \'{"v":1,"id":"r","type":"result","output":"%s"}\' "$why" > /ipc/out/.b && mv /ipc/out/.b /ipc/out/000002-result.json',
        'sleep 20',
      ].join('; ');
      const status = await own('malformed', script);
      expect(status?.phase).toBe('Succeeded');
      expect(status?.output).toMatch(/JSON/);
    });
  });

  test('says why its Pod can’t be created', async () => {
    const limit = { apiVersion: 'v1', kind: 'LimitRange', metadata: { name: 'tiny' } };
    const spec = { limits: [{ type: 'Container', max: { memory: '16Mi' } }] };
    await world.kubectl(['apply', '-f', '-'], JSON.stringify({ ...limit, spec }));
    try {
      const { status } = await world.run('no-room', { input: 'scenario:plain' });
      expectFailed(status, 'PodNotCreated', /maximum memory usage per Container is 16Mi/);
    } finally {
      await world.kubectl(['delete', 'limitrange', 'tiny']);
    }
  });

  test('says which Secret is missing', async () => {
    await world.instance('keyless', {
      provider: {
        name: 'openai',
        model: 'gpt-4o',
        apiKeySecret: 'no-such-secret',
        baseURL: 'http://aimock.models.svc:8080/v1',
      },
    });
    const { status } = await world.run('keyless', { instanceRef: 'keyless', input: 'x' });
    expectFailed(status, 'CredentialsNotFound', /no-such-secret.*kubectl create secret generic/);
  });

  test('says which key the Secret should have', async () => {
    await world.secret('wrong-key', { 'api-key': 'sk-e2e' });
    await world.instance('misspelt', {
      provider: {
        name: 'openai',
        model: 'gpt-4o',
        apiKeySecret: 'wrong-key',
        baseURL: 'http://aimock.models.svc:8080/v1',
      },
    });
    const { status } = await world.run('misspelt', { instanceRef: 'misspelt', input: 'x' });
    expectFailed(status, 'CredentialsNotFound', /'apiKey'.*'api-key'/);
  });
});
