import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import OpenAI from 'openai';
import { eventually } from '../../support/eventually.ts';
import { must } from '../../support/must.ts';
import { Harness, KEY } from './harness.ts';

let endpoint: Harness;
let client: OpenAI;

beforeAll(async () => {
  endpoint = await Harness.start();
  client = endpoint.client();
});
afterAll(async () => {
  await endpoint.stop();
});

const user = (content: string) => ({ role: 'user' as const, content });
const assistant = (content: string) => ({ role: 'assistant' as const, content });
const ask = (content: string, options?: OpenAI.RequestOptions) =>
  client.chat.completions.create({ model: 'helper', messages: [user(content)] }, options);
const streamed = (content: string, more: object = {}) =>
  client.chat.completions.create({ model: 'helper', messages: [user(content)], stream: true, ...more });
/** What the client throws. */
const failure = (request: Promise<unknown>): Promise<InstanceType<typeof OpenAI.APIError>> =>
  request.then(
    () => {
      throw new Error('expected an error, got an answer');
    },
    (error: unknown) => error as InstanceType<typeof OpenAI.APIError>,
  );

/** All texts of a stream, as they come. */
function reader(stream: AsyncIterable<OpenAI.ChatCompletionChunk>) {
  const chunks: OpenAI.ChatCompletionChunk[] = [];
  const done = (async () => {
    for await (const chunk of stream) chunks.push(chunk);
  })();
  done.catch(() => undefined);
  return {
    chunks,
    done,
    texts: () => chunks.flatMap(({ choices }) => choices[0]?.delta.content ?? []).filter((text) => text !== ''),
  };
}

describe('A chat', () => {
  test('becomes a run: the last message is its input, those before are its history', async () => {
    const messages = [user('I am Ada'), assistant('Hello, Ada'), user('who am I?')];
    const answer = client.chat.completions.create({ model: 'helper', messages, temperature: 0.5 });
    const run = await endpoint.runOf('who am I?');
    expect(run).toMatchObject({
      metadata: { namespace: 'team', name: expect.stringMatching(/^web-helper-[0-9a-f]{16}$/) },
      spec: { instanceRef: 'helper', input: 'who am I?', history: messages.slice(0, 2) },
    });
    await endpoint.succeed(run, 'Ada');
    expect(await answer).toMatchObject({
      id: `chatcmpl-${run.metadata.name}`,
      object: 'chat.completion',
      model: 'helper',
      choices: [{ index: 0, message: { role: 'assistant', content: 'Ada' }, finish_reason: 'stop' }],
      usage: { prompt_tokens: 7, completion_tokens: 3, total_tokens: 10 },
    });
  });

  test('two conversations that end in the same word are two runs', async () => {
    const before = (await endpoint.runs()).length;
    const answers = ['delete it?', 'keep it?'].map((question) =>
      client.chat.completions.create({ model: 'helper', messages: [user('hi'), assistant(question), user('yes')] }),
    );
    const runs = await eventually(async () => {
      const found = (await endpoint.runs()).filter(({ spec }) => spec.input === 'yes');
      return found.length === 2 && found;
    });
    for (const run of runs) await endpoint.succeed(run, `to ${run.spec.history?.at(-1)?.content ?? ''}`);
    const said = (await Promise.all(answers)).map(({ choices }) => choices[0]?.message.content);
    expect(said).toEqual(['to delete it?', 'to keep it?']);
    expect((await endpoint.runs()).length).toBe(before + 2);
  });

  test('an answer of which only the beginning was kept says so', async () => {
    const answer = ask('all of it');
    const condition = {
      type: 'OutputTruncated',
      status: 'True',
      reason: 'TooLong',
      message: '',
      lastTransitionTime: '',
    };
    await endpoint.end(await endpoint.runOf('all of it'), {
      phase: 'Succeeded',
      output: 'much\n[cut]',
      conditions: [{ ...condition, status: 'True' }],
    });
    expect((await answer).choices[0]?.finish_reason).toBe('length');
  });

  test("a run that fails is the caller's error, with its reason, and is not tried again by itself", async () => {
    const error = failure(new OpenAI({ baseURL: `${endpoint.url}/v1`, apiKey: KEY, maxRetries: 2 }).chat.completions.create({ model: 'helper', messages: [user('fail')] })); // prettier-ignore
    await endpoint.end(await endpoint.runOf('fail'), { phase: 'Failed', reason: 'ModelError', message: 'no model' });
    expect(await error).toMatchObject({
      status: 502,
      code: 'ModelError',
      message: expect.stringContaining('no model'),
    });
    expect((await endpoint.runs()).filter(({ spec }) => spec.input === 'fail')).toHaveLength(1);
  });

  test('a run that is deleted under way is an error', async () => {
    const error = failure(ask('delete me'));
    endpoint.kube.remove(await endpoint.runOf('delete me'));
    expect(await error).toMatchObject({ status: 502, code: 'run_deleted' });
  });

  test('a caller that hangs up has its run cancelled', async () => {
    const left = new AbortController();
    const error = failure(ask('too slow', { signal: left.signal }));
    const run = await endpoint.runOf('too slow');
    left.abort();
    await error;
    await eventually(async () => (await endpoint.now(run)).spec.cancelled === true);
  });

  test('what admission refuses is refused with its sentence', async () => {
    const { KubeError } = await import('../../../operator/kube/errors.ts');
    endpoint.kube.before = (write) => {
      if (write.startsWith('create'))
        throw new KubeError('Invalid', 422, 'POST: admission webhook "v" denied the request: spec: not today');
    };
    const error = await failure(ask('refused'));
    endpoint.kube.before = () => undefined;
    expect(error).toMatchObject({ status: 422, code: 'run_refused', message: '422 spec: not today' });
  });
});

describe('An Idempotency-Key', () => {
  const headers = { 'Idempotency-Key': 'order-1' };

  test('gives the answer of the first request, also to one that hung up', async () => {
    const left = new AbortController();
    const lost = failure(ask('once', { headers, signal: left.signal }));
    const run = await endpoint.runOf('once');
    left.abort();
    await lost;
    await eventually(() => endpoint.log.lines.some(({ message, fields }) => message === 'The caller has hung up' && fields.run === run.metadata.name)); // prettier-ignore
    const again = ask('once', { headers });
    await endpoint.succeed(run, 'done once');
    expect((await again).choices[0]?.message.content).toBe('done once');
    expect((await ask('once', { headers })).choices[0]?.message.content).toBe('done once');
    expect((await endpoint.runs()).filter(({ spec }) => spec.input === 'once')).toHaveLength(1);
    expect((await endpoint.now(run)).spec.cancelled).toBeUndefined();
  });

  test('is for one request only', async () => {
    expect(await failure(ask('something else', { headers }))).toMatchObject({
      status: 409,
      code: 'idempotency_key_reused',
    });
  });
});

describe('A stream', () => {
  test('tells the answer while it is written, and the tokens at its end', async () => {
    const { chunks, done, texts } = reader(await streamed('tell', { stream_options: { include_usage: true } }));
    const run = await endpoint.runOf('tell');
    const bridge = await endpoint.bridge(run);
    for (const text of ['one ', 'two ', 'three']) {
      bridge.say(text);
      await eventually(() => texts().at(-1) === text);
    }
    await endpoint.succeed(run, 'one two three');
    await done;
    expect(texts()).toEqual(['one ', 'two ', 'three']);
    expect(chunks[0]?.choices[0]?.delta.role).toBe('assistant');
    expect(chunks.at(-2)?.choices[0]?.finish_reason).toBe('stop');
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { total_tokens: 10 } });
    expect(new Set(chunks.map(({ id }) => id))).toEqual(new Set([`chatcmpl-${run.metadata.name}`]));
    await bridge.close();
  });

  test('hears the run before it is there, and so everything that is said in it', async () => {
    let early: boolean | undefined;
    endpoint.kube.before = (write) => {
      const name = /^create AgentRun team\/(.+)$/.exec(write)?.[1];
      if (name !== undefined) early = endpoint.heard.includes(name);
    };
    const { done, texts } = reader(await streamed('at once'));
    expect(early).toBe(true);
    endpoint.kube.before = () => undefined;
    const run = await endpoint.runOf('at once');
    const bridge = await endpoint.bridge(run);
    const all = Array.from({ length: 200 }, (_, index) => `${index + 1} `);
    for (const text of all) bridge.say(text);
    await bridge.close();
    await eventually(() => texts().length === all.length);
    await endpoint.succeed(run, all.join(''));
    await done;
    expect(texts()).toEqual(all);
  });

  test('tells what was said before the endpoint knew of its run', async () => {
    const known = Promise.withResolvers<undefined>();
    const { kube } = endpoint;
    const create = kube.create.bind(kube);
    kube.create = async (resource, object) => {
      const made = await create(resource, object);
      await known.promise;
      return made;
    };
    const request = streamed('early');
    const run = await endpoint.runOf('early');
    const bridge = await endpoint.bridge(run);
    const before = endpoint.events;
    bridge.say('first');
    await eventually(() => endpoint.events > before);
    await bridge.close();
    known.resolve(undefined);
    kube.create = create;
    const { done, texts } = reader(await request);
    await eventually(() => texts().length === 1);
    await endpoint.succeed(run, 'first and last');
    await done;
    expect(texts()).toEqual(['first', ' and last']);
  });

  test('says at its end what no event said', async () => {
    const { done, texts } = reader(await streamed('quiet'));
    const run = await endpoint.runOf('quiet');
    const bridge = await endpoint.bridge(run);
    bridge.say('half of ');
    await eventually(() => texts().length === 1);
    await endpoint.succeed(run, 'half of it');
    await done;
    expect(texts()).toEqual(['half of ', 'it']);
    await bridge.close();
  });

  test('that fails ends with the error, and then as every stream', async () => {
    const stream = await streamed('break');
    const { done } = reader(stream);
    await endpoint.end(await endpoint.runOf('break'), { phase: 'Failed', reason: 'AgentError', message: 'it broke' });
    await expect(done).rejects.toMatchObject({
      code: 'AgentError',
      message: expect.stringContaining('it broke'),
    });

    const raw = fetch(`${endpoint.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${KEY}` },
      body: JSON.stringify({ stream: true, messages: [user('break again')] }),
    }).then((response) => response.text());
    await endpoint.end(await endpoint.runOf('break again'), {
      phase: 'Cancelled',
      reason: 'Cancelled',
      message: 'by Eve',
    });
    const events = (await raw).trimEnd().split('\n\n');
    expect(events.at(-1)).toBe('data: [DONE]');
    expect(JSON.parse(must(events.at(-2)).slice(6))).toMatchObject({ error: { code: 'Cancelled' } });
  });

  test('that nobody reads any more has its run cancelled', async () => {
    const stream = await streamed('leave');
    const run = await endpoint.runOf('leave');
    stream.controller.abort();
    await eventually(async () => (await endpoint.now(run)).spec.cancelled === true);
  });

  test('goes on when the bus does not: the answer comes in one piece', async () => {
    await endpoint.nats.stop();
    const { done, texts } = reader(await streamed('alone'));
    await endpoint.succeed(await endpoint.runOf('alone'), 'all at once');
    await done;
    expect(texts()).toEqual(['all at once']);
    await endpoint.nats.start();
  });
});
