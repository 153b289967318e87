import type { ChildProcess } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import OpenAI from 'openai';
import { findCondition } from '../../lib/api/conditions.ts';
import type { AgentRun } from '../../lib/api/v1alpha1/agent-run.ts';
import type { SympoziumInstance } from '../../lib/api/v1alpha1/instance.ts';
import type { KubeObject, Resource } from '../../operator/kube/port.ts';
import { AGENT_RUNS, DEPLOYMENTS, INSTANCES, ROLES, SERVICES } from '../../operator/kube/resources.ts';
import { PLAIN_ANSWER } from '../model/scenarios.ts';
import { eventually } from '../support/eventually.ts';
import { cluster, POLL_MS, World } from './support/world.ts';

const AGENT = 'chatty';
const NAME = `web-${AGENT}`;
/** Words of the mock's `scenario:stream`, which writes one of them every 100 ms. */
const WORDS = 'one two three four five six seven eight nine ten ';

/** An instance that is served over HTTP in a namespace of its own, and the way there. */
class Served {
  readonly world: World;
  readonly key: string;
  #forward: ChildProcess | undefined;
  #url = '';

  constructor(world: World, key: string) {
    this.world = world;
    this.key = key;
  }

  static async create(name: string, spec: Partial<SympoziumInstance['spec']> = {}, more: object = {}): Promise<Served> {
    const served = new Served(await World.create(name), `key-of-${name}-0123456789`);
    const skillConfig = { 'web-endpoint': { secretRef: 'web-key', ...more } };
    await served.world.instance(AGENT, { skills: ['web-endpoint'], skillConfig, ...spec });
    return served;
  }

  /** Waits until it serves, and opens the way there. */
  async open(): Promise<void> {
    await this.condition('Serving');
    const port = await new Promise<string>((resolve) => {
      this.#forward = cluster.follow(['-n', this.world.namespace, 'port-forward', `service/${NAME}`, ':80'], (line) => {
        const [, found] = /^Forwarding from 127\.0\.0\.1:(\d+)/.exec(line) ?? [];
        if (found !== undefined) resolve(found);
      });
    });
    this.#url = `http://127.0.0.1:${port}/v1`;
  }

  condition(reason: string): Promise<SympoziumInstance> {
    const its = ({ status }: SympoziumInstance) => findCondition(status?.conditions, 'EndpointReady')?.reason;
    return this.world.until(INSTANCES, AGENT, (instance) => its(instance) === reason);
  }

  client(apiKey = this.key): OpenAI {
    return new OpenAI({ baseURL: this.#url, apiKey, maxRetries: 0 });
  }

  async ask(content: string, client = this.client()): Promise<string | null | undefined> {
    const answer = await client.chat.completions.create({ model: AGENT, messages: [{ role: 'user', content }] });
    return answer.choices[0]?.message.content;
  }

  /** The runs that callers have had made, and what became of them. */
  async runs(): Promise<readonly AgentRun[]> {
    return (await this.world.kube.list(AGENT_RUNS, { namespace: this.world.namespace })).items;
  }

  async destroy(): Promise<void> {
    this.#forward?.kill();
    await this.world.destroy();
  }
}

const failure = (request: Promise<unknown>) =>
  request.then(
    () => undefined,
    (error: unknown) => error as InstanceType<typeof OpenAI.APIError>,
  );

describe('An agent that is served over HTTP', () => {
  let one: Served;
  let two: Served;

  beforeAll(async () => {
    [one, two] = await Promise.all([
      Served.create('web', { toolPolicy: { deny: ['write_file'] } }),
      Served.create('web-other', {}, { requestsPerMinute: 2 }),
    ]);
  });
  afterAll(() => Promise.all([one.destroy(), two.destroy()]));

  test('says that its key is missing, and serves as soon as it is there', async () => {
    const instance = await one.condition('NotReady');
    expect(findCondition(instance.status?.conditions, 'EndpointReady')?.message).toContain(
      `kubectl create secret generic web-key -n ${one.world.namespace}`,
    );
    await Promise.all([one, two].map(({ world, key }) => world.secret('web-key', { apiKey: key })));
    await Promise.all([one.open(), two.open()]);
  });

  test('answers, with what was said before', async () => {
    const messages = [
      { role: 'user' as const, content: 'scenario:http-500' }, // the mock goes by the last user message
      { role: 'assistant' as const, content: `An earlier answer in ${one.world.namespace}.` },
      { role: 'user' as const, content: 'scenario:plain' },
    ];
    const answer = await one.client().chat.completions.create({ model: AGENT, messages });
    expect(answer.choices[0]).toMatchObject({ message: { content: PLAIN_ANSWER }, finish_reason: 'stop' });
    expect(answer.usage?.total_tokens).toBeGreaterThan(0);
    const [run] = await one.runs();
    expect(run?.spec.history).toEqual(messages.slice(0, 2));
    expect(run?.metadata.annotations?.['sympozium.ai/requested-by']).toBe(
      `system:serviceaccount:${one.world.namespace}:${NAME}`,
    );
    const journal = '/api/v1/namespaces/models/services/aimock:8080/proxy/__aimock/journal';
    expect(await cluster.kubectl(['get', '--raw', journal])).toContain(`An earlier answer in ${one.world.namespace}.`);
    expect(answer.id).toBe(`chatcmpl-${run?.metadata.name ?? ''}`);
  });

  test('streams its answer while it is written', async () => {
    const stream = await one.client().chat.completions.create({
      model: AGENT,
      messages: [{ role: 'user', content: 'scenario:stream' }],
      stream: true,
      stream_options: { include_usage: true },
    });
    const texts: string[] = [];
    let whenFirst = 0;
    let usage: OpenAI.CompletionUsage | null | undefined;
    for await (const chunk of stream) {
      const text = chunk.choices[0]?.delta.content ?? '';
      if (text !== '' && texts.push(text) === 1) whenFirst = Date.now();
      usage = chunk.usage;
    }
    expect(texts.join('')).toBe(WORDS.repeat(4));
    expect(texts.length).toBeGreaterThan(5);
    expect(Date.now() - whenFirst).toBeGreaterThan(1000); // it took 2 s to write
    expect(usage?.completion_tokens).toBeGreaterThan(0);
  });

  test("T3 is bound by its instance's toolPolicy like every run", async () => {
    expect(await one.ask('scenario:write-file')).toBe('I have written hello.txt.'); // says the mock, whatever happened
    const run = (await one.runs()).find(({ spec }) => spec.input === 'scenario:write-file');
    expect(run?.status?.usage?.toolCalls).toBe(0);
  });

  test('tells its callers why a run failed', async () => {
    expect(await failure(one.ask('scenario:http-401'))).toMatchObject({ status: 502, code: 'ModelError' });
  });

  test('has the run of a caller that hangs up cancelled', async () => {
    const left = new AbortController();
    const messages = [{ role: 'user' as const, content: 'scenario:hang' }];
    const request = one.client().chat.completions.create({ model: AGENT, messages }, { signal: left.signal });
    const lost = failure(request);
    const find = async () => (await one.runs()).find(({ spec }) => spec.input === 'scenario:hang');
    const run = await eventually(find, 20_000, POLL_MS);
    left.abort();
    await lost;
    const { status } = await one.world.ended(run.metadata.name);
    expect(status?.phase).toBe('Cancelled');
  });

  test("refuses another tenant's key, and is asked no more often than its owner says", async () => {
    expect(await failure(two.ask('hello', two.client(one.key)))).toMatchObject({
      status: 401,
      code: 'invalid_api_key',
    });
    expect(await failure(one.ask('hello', one.client(two.key)))).toMatchObject({
      status: 401,
      code: 'invalid_api_key',
    });
    expect(await two.ask('scenario:plain')).toBe(PLAIN_ANSWER);
    expect(await two.ask('scenario:plain')).toBe(PLAIN_ANSWER);
    const error = await failure(two.ask('scenario:plain'));
    expect(error).toMatchObject({ status: 429, code: 'rate_limit_exceeded' });
    expect(Number(error?.headers?.get('retry-after'))).toBeGreaterThan(0);
    expect(await two.runs()).toHaveLength(2);
  });

  test('may do in the cluster what it needs, and nothing else', async () => {
    const can = (verb: string, what: string, namespace = one.world.namespace) =>
      cluster
        .kubectl(['auth', 'can-i', verb, what, '-n', namespace, '--as', `system:serviceaccount:${one.world.namespace}:${NAME}`]) // prettier-ignore
        .then((text) => text.trim(), () => 'no'); // prettier-ignore
    const agentruns = 'agentruns.sympozium.ai';
    const allowed = ['create', 'get', 'list', 'watch', 'patch'];
    const verbs = [...allowed, 'update', 'delete', 'deletecollection'];
    const found = await Promise.all(verbs.map((verb) => can(verb, agentruns)));
    expect(verbs.filter((_, index) => found[index] === 'yes')).toEqual(allowed);
    const others = await Promise.all([
      can('get', 'secrets'),
      can('list', 'pods'),
      can('get', 'sympoziuminstances.sympozium.ai'),
      can('create', 'toolapprovals.sympozium.ai'),
      can('create', agentruns, two.world.namespace),
      can('get', agentruns, 'default'),
    ]);
    expect(new Set(others)).toEqual(new Set(['no']));
    const run = { apiVersion: 'sympozium.ai/v1alpha1', kind: 'AgentRun', metadata: { name: 'sly' }, spec: { instanceRef: 'agent', input: 'x' } }; // prettier-ignore
    const sly = one.world.kubectl(['create', '-f', '-', '--as', `system:serviceaccount:${one.world.namespace}:${NAME}`], JSON.stringify(run)); // prettier-ignore
    await expect(sly).rejects.toThrow("got 'agent', expected 'chatty'");
  });

  test('is gone when its instance is not served any more', async () => {
    const patch = JSON.stringify({ spec: { skills: null, skillConfig: null } });
    await one.world.kubectl(['patch', 'sympoziuminstance', AGENT, '--type=merge', '--patch', patch]);
    const kinds: readonly Resource<KubeObject>[] = [DEPLOYMENTS, SERVICES, ROLES];
    await Promise.all(kinds.map((resource) => one.world.gone(resource, NAME)));
  });
});
