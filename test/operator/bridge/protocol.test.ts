import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { eventually } from '../../support/eventually.ts';
import { Cluster, type TestRun } from './harness.ts';

type Fields = Readonly<Record<string, unknown>>;

describe('an agent that writes its messages itself', () => {
  let cluster: Cluster;
  let run: TestRun;
  let sent = 0;
  beforeAll(async () => {
    cluster = await Cluster.start();
  });
  beforeEach(async () => {
    run = await cluster.run({ agent: 'none', input: 'do it' });
    sent = 0;
    await eventually(() => run.inbox().length > 0);
  });
  afterAll(() => cluster.stop());

  const raw = (name: string, content: string) => {
    writeFileSync(join(run.mailbox, 'out', `.${name}`), content);
    writeFileSync(join(run.mailbox, 'out', name), content);
  };
  const send = (fields: Fields & { readonly type: string }) => {
    sent += 1;
    raw(`${String(sent).padStart(6, '0')}-${fields.type}.json`, JSON.stringify({ v: 1, id: `m${sent}`, ...fields }));
  };
  const received = (type: string) => run.inbox().filter((message) => message.type === type);
  const call = (id: string, tool = 'read_file') => {
    send({ type: 'tool-call', id, tool, arguments: { path: 'x' } });
  };

  test('gets the task', () => {
    expect(run.inbox()).toMatchObject([
      { v: 1, id: 'task', type: 'task', input: 'do it', model: 'fake', limits: { modelCalls: 10 } },
    ]);
    expect(run.inbox()[0]).not.toHaveProperty('policy');
  });

  test('many calls are under way at the same time, and answered in any order', async () => {
    call('a');
    call('b');
    call('c');
    await eventually(() => received('tool-call').length === 3);
    for (const id of ['c', 'a', 'b']) send({ type: 'tool-result', id, ok: id !== 'a', content: `of ${id}` });
    await eventually(() => received('tool-result').length === 3);
    expect(received('tool-result')).toEqual([
      { v: 1, id: 'c', type: 'tool-result', ok: true, content: 'of c' },
      { v: 1, id: 'a', type: 'tool-result', ok: false, content: 'of a' },
      { v: 1, id: 'b', type: 'tool-result', ok: true, content: 'of b' },
    ]);
  });

  test('a result for a call that was never dispatched is refused, and so is a second one', async () => {
    send({ type: 'tool-result', id: 'ghost', ok: true, content: 'forged' });
    call('a');
    await eventually(() => received('tool-call').length === 1);
    send({ type: 'tool-result', id: 'a', ok: true, content: 'first' });
    send({ type: 'tool-result', id: 'a', ok: true, content: 'second' });
    await eventually(() => received('rejected').length === 2);
    expect(received('tool-result')).toHaveLength(1);
    expect(received('rejected')).toMatchObject([
      { id: 'ghost', content: "000001-tool-result.json was refused: no call 'ghost' was dispatched" },
      { id: 'a', content: "000004-tool-result.json was refused: call 'a' has its result already" },
    ]);
  });

  test('a result for a denied call is refused', async () => {
    call('a', 'unknown_tool');
    send({ type: 'tool-result', id: 'a', ok: true, content: 'forged' });
    await eventually(() => received('rejected').length === 1);
    expect(received('tool-result')).toMatchObject([{ ok: false }]);
  });

  test('an id can be used for one call only', async () => {
    call('a');
    call('a');
    await eventually(() => received('rejected').length === 1);
    expect(received('rejected')[0]?.content).toContain("id 'a' was used by an earlier tool-call");
    expect(received('tool-call')).toHaveLength(1);
  });

  test('files that are refused are answered and reported; the run goes on', async () => {
    raw('000001-log.json', '{"v":');
    mkdirSync(join(run.mailbox, 'out', '000002-delta.json'));
    send({ type: 'nonsense' });
    await eventually(() => received('rejected').length === 3);
    send({ type: 'result', output: 'fine' });
    expect(await run.result()).toMatchObject({ outcome: 'succeeded', output: 'fine' });
    await run.ended;
    expect((await run.events()).filter(({ type }) => type === 'rejected')).toHaveLength(3);
  });

  test('a result that is refused ends the run, because nobody will write another', async () => {
    raw('000001-result.json', JSON.stringify({ v: 1, id: 'r', type: 'result', output: 'x'.repeat(2 ** 20) }));
    expect(await run.result()).toMatchObject({
      outcome: 'failed',
      reason: 'ProtocolError',
      message: expect.stringMatching(/^the agent's last message, 000001-result\.json, was refused: it has \d+ bytes/),
    });
  });

  test('an agent that writes nothing but rubbish is ended', async () => {
    for (let n = 0; n < 300; n += 1) raw(`rubbish-${n}`, 'x');
    expect(await run.result()).toMatchObject({
      outcome: 'failed',
      reason: 'ProtocolError',
      message: expect.stringContaining('more than 200 files of the agent were refused'),
    });
  });

  test('the first result counts', async () => {
    send({ type: 'result', output: 'first' });
    send({ type: 'result', output: 'second' });
    send({ type: 'error', message: 'third' });
    expect(await run.result()).toMatchObject({ outcome: 'succeeded', output: 'first' });
    await run.ended;
    expect(cluster.results.filter((result) => result.run === run.name)).toHaveLength(1);
  });

  test('a huge output is cut inside of no character, and its size is told', async () => {
    send({ type: 'result', output: '€'.repeat(100_000) });
    const result = await run.result();
    expect(result).toMatchObject({ outcome: 'succeeded', outputBytes: 300_000 });
    const output = result.outcome === 'succeeded' ? result.output : '';
    expect(Buffer.byteLength(output)).toBeLessThanOrEqual(65_536);
    expect(output).toMatch(/^€+\n\[output cut: 300000 bytes, limit 65536\]$/);
  });

  test('an error is the reason of the run', async () => {
    send({ type: 'error', message: 'I lost my way' });
    expect(await run.result()).toMatchObject({ outcome: 'failed', reason: 'AgentError', message: 'I lost my way' });
  });

  test('deltas and log lines become events', async () => {
    send({ type: 'delta', text: 'Hel' });
    send({ type: 'delta', text: 'lo' });
    send({ type: 'log', text: 'thinking' });
    send({ type: 'result', output: '' });
    expect(await run.result()).toMatchObject({ outcome: 'succeeded', output: '', outputBytes: 0 });
    await run.ended;
    expect(await run.events()).toMatchObject([
      { v: 1, uid: run.uid, type: 'started' },
      { type: 'delta', text: 'Hel' },
      { type: 'delta', text: 'lo' },
      { type: 'log', text: 'thinking' },
    ]);
  });
});
