import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { eventually } from '../../support/eventually.ts';
import { effective } from '../../support/objects.ts';
import { calls, says } from './fake-gateway.ts';
import { Cluster, type TestRun } from './harness.ts';

jest.setTimeout(30_000);

const ASKING = effective('default', [{ source: "policy 'default'", deny: [], approve: ['execute_command'] }]);
const DENYING = effective('strict', [{ source: "policy 'strict'", deny: ['execute_command'], approve: [] }]);
const FREE = effective('free');

const told = (run: TestRun): (string | null)[] =>
  (run.gateway.seen.at(-1)?.body.messages ?? []).flatMap(({ role, content }) => (role === 'tool' ? [content] : []));
const touch = (file: string) => ['execute_command', { command: `echo ran >> ${file}; cat ${file}` }] as const;
const workspace = (run: TestRun, file: string): string => join(run.mailbox, 'workspace', file);
const inbox = (run: TestRun, type: string) => run.inbox().filter((message) => message.type === type);

describe('a call that a person must approve', () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await Cluster.start();
  });
  afterAll(() => cluster.stop());

  const waiting = async (...wanted: readonly (readonly [tool: string, given: object])[]) => {
    const run = await cluster.run({ policy: ASKING, replies: [calls(...wanted), says('done')] });
    await run.asked();
    return run;
  };

  test('is offered, asked about with its arguments, and not run', async () => {
    const run = await waiting(touch('x'));
    expect(run.gateway.seen[0]?.body.tools?.map(({ function: { name } }) => name)).toContain('execute_command');
    expect(await run.asked()).toEqual([
      {
        v: 1,
        uid: run.uid,
        call: 'call-1',
        tool: 'execute_command',
        arguments: { command: 'echo ran >> x; cat x' },
        rule: "policy 'default' asks for a person's approval",
      },
    ]);
    expect(existsSync(workspace(run, 'x'))).toBe(false);
    expect(await cluster.bus.getCheckpoint(run.ref)).toMatchObject({
      calls: { 'call-1': { state: 'waiting' } },
      asked: ['call-1'],
    });
  });

  test('runs once, exactly as it was asked about, when it is approved; other calls do not wait for it', async () => {
    const run = await waiting(touch('x'), ['write_file', { path: 'y', content: 'free' }]);
    await eventually(() => existsSync(workspace(run, 'y')));
    expect(existsSync(workspace(run, 'x'))).toBe(false);
    await run.decide('call-1', 'Approved');
    await run.decide('call-1', 'Approved'); // said again, as the controller does whenever anything changes
    expect(await run.result()).toMatchObject({ outcome: 'succeeded', usage: { toolCalls: 2 } });
    expect(readFileSync(workspace(run, 'x'), 'utf8')).toBe('ran\n');
    await run.ended;
    const states = (await run.events()).flatMap((event) =>
      event.type === 'tool' && event.id === 'call-1' ? [event.state] : [],
    );
    expect(states).toEqual(['waiting', 'dispatched', 'succeeded']);
    const audited = await eventually(() => {
      const verdicts = run.audits.filter(({ call }) => call === 'call-1');
      return verdicts.length >= 2 ? verdicts : undefined;
    });
    expect(audited).toMatchObject([
      { action: 'tool', verdict: 'asked', rule: "policy 'default' asks for a person's approval" },
      { action: 'approval', verdict: 'approved', by: 'alice' },
    ]);
  });

  test('is answered with the reason when it is denied', async () => {
    const run = await waiting(touch('x'));
    await run.decide('call-1', 'Denied', 'not on a Friday');
    await run.result();
    expect(told(run)).toEqual([
      "The call of 'execute_command' was not approved: not on a Friday. Do not try it again; work without it, or say that you can not.",
    ]);
    expect(existsSync(workspace(run, 'x'))).toBe(false);
    await eventually(() => run.audits.some(({ action, verdict }) => action === 'approval' && verdict === 'denied'));
  });

  test('is not run when the policy has come to deny it since, though it was approved', async () => {
    const run = await waiting(touch('x'));
    await run.setPolicy(DENYING);
    await run.decide('call-1', 'Approved');
    await run.result();
    expect(told(run)[0]).toContain("was denied: policy 'strict' denies it");
    expect(existsSync(workspace(run, 'x'))).toBe(false);
  });

  test('is not asked about when its arguments are too long to be read', async () => {
    const run = await cluster.run({
      policy: ASKING,
      replies: [calls(['execute_command', { command: '#'.repeat(70_000) }]), says('done')],
    });
    await run.result();
    expect(told(run)[0]).toContain('only 65536 can be shown to a person');
  });

  test('decides nothing for another call, nor for one that was never asked about', async () => {
    const run = await cluster.run({ policy: ASKING, agent: 'none' });
    await eventually(() => run.inbox().length > 0);
    const writer = run.writer();
    const call = (id: string, command: string) =>
      writer.write({ v: 1, id, type: 'tool-call', tool: 'execute_command', arguments: { command } } as never);
    call('a', 'first');
    await run.asked();
    await run.decide('b', 'Approved');
    await run.decide('a', 'Approved');
    await eventually(() => inbox(run, 'tool-call').length > 0);
    call('a', 'another'); // the same id, which is approved
    await eventually(() => inbox(run, 'rejected').length > 0);
    expect(inbox(run, 'tool-call')).toMatchObject([{ id: 'a', arguments: { command: 'first' } }]);
  });

  test('is asked about at most a hundred times in a run', async () => {
    const run = await cluster.run({ policy: ASKING, agent: 'none' });
    await eventually(() => run.inbox().length > 0);
    const writer = run.writer();
    for (let n = 1; n <= 102; n += 1)
      writer.write({ v: 1, id: `c${n}`, type: 'tool-call', tool: 'execute_command', arguments: { n } } as never);
    await eventually(() => inbox(run, 'tool-result').length === 2);
    expect(inbox(run, 'tool-result')).toMatchObject([
      { id: 'c101', ok: false },
      { id: 'c102', ok: false, content: expect.stringContaining('a run may ask for 100 approvals') },
    ]);
    expect(await run.asked(100)).toHaveLength(100);
  });
});

describe('rules that change while a run goes on', () => {
  let cluster: Cluster;
  beforeEach(async () => {
    cluster = await Cluster.start();
  });
  afterEach(() => cluster.stop());

  const caller = async () => {
    const run = await cluster.run({ policy: FREE, agent: 'none' });
    await eventually(() => run.inbox().length > 0);
    const writer = run.writer();
    const call = (id: string) =>
      writer.write({ v: 1, id, type: 'tool-call', tool: 'execute_command', arguments: {} } as never);
    return { run, call };
  };

  test('the next dispatch obeys the stricter ones, and later the milder ones again', async () => {
    const { run, call } = await caller();
    call('a');
    await eventually(() => inbox(run, 'tool-call').length === 1);
    await run.setPolicy(DENYING);
    call('b');
    await eventually(() => inbox(run, 'tool-result').length === 1);
    expect(inbox(run, 'tool-result')).toMatchObject([{ id: 'b', ok: false }]);
    await run.setPolicy(FREE);
    call('c');
    await eventually(() => inbox(run, 'tool-call').length === 2);
    expect(inbox(run, 'tool-call').map(({ id }) => id)).toEqual(['a', 'c']);
  });

  test('while the bus is away nothing is dispatched; afterwards by the rules of then', async () => {
    const { run, call } = await caller();
    call('a');
    await eventually(() => inbox(run, 'tool-call').length === 1);
    await cluster.server.stop();
    call('b');
    await eventually(() => run.log.said('Could not read the rules'));
    expect(run.inbox().some(({ id }) => id === 'b')).toBe(false);
    await cluster.server.start();
    await eventually(() => inbox(run, 'tool-call').length === 2);
  });

  test('a decision that is made while the bus is away is heard when it is back', async () => {
    const run = await cluster.run({ policy: ASKING, replies: [calls(touch('x')), says('done')] });
    await run.asked();
    await cluster.server.stop();
    const deciding = run.decide('call-1', 'Approved').catch(() => run.decide('call-1', 'Approved'));
    await cluster.server.start();
    await deciding;
    expect(await run.result()).toMatchObject({ outcome: 'succeeded' });
    expect(readFileSync(workspace(run, 'x'), 'utf8')).toBe('ran\n');
  });
});

describe('a Pod that is lost while a call waits', () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await Cluster.start();
  });
  afterAll(() => cluster.stop());

  const counted = ['execute_command', { command: 'echo one' }] as const;

  test('another one goes on where it stood: asked once, run once, and what had been done is not done again', async () => {
    const run = await cluster.run({
      policy: ASKING,
      replies: [
        calls(['list_directory', { path: '.' }]),
        calls(['read_file', { path: 'gone' }], counted),
        says('done'),
      ],
    });
    await run.asked();
    await eventually(async () => (await cluster.bus.getCheckpoint(run.ref))?.calls['call-2']?.state === 'done');
    const modelCalls = run.gateway.seen.length;
    await run.nextPod();
    await eventually(() => run.inbox().some(({ type }) => type === 'task'));
    await run.decide('call-3', 'Approved');
    expect(await run.result()).toMatchObject({ outcome: 'succeeded', usage: { modelCalls: 3, toolCalls: 3 } });
    expect(run.gateway.seen).toHaveLength(modelCalls + 1);
    expect(told(run)).toMatchObject([
      expect.anything(),
      expect.stringContaining('gone'),
      expect.stringContaining('one'),
    ]);
    expect(inbox(run, 'tool-call').map(({ id }) => id)).toEqual(['call-3']);
    expect(new Set((await run.asked()).map(({ call }) => call))).toEqual(new Set(['call-3']));
  });

  test('decided while there was no Pod: it goes on at once', async () => {
    const run = await cluster.run({ policy: ASKING, replies: [calls(counted), says('done')] });
    await run.asked();
    await run.terminate();
    await run.decide('call-1', 'Denied', 'no');
    await run.nextPod();
    await run.result();
    expect(told(run)[0]).toContain('was not approved: no.');
  });

  test('lost again and again', async () => {
    const run = await cluster.run({ policy: ASKING, replies: [calls(counted), calls(counted), says('done')] });
    await run.asked();
    await run.nextPod();
    await run.nextPod();
    await run.decide('call-1', 'Approved');
    await run.asked(2);
    await run.nextPod();
    await run.decide('call-2', 'Approved');
    expect(await run.result()).toMatchObject({ outcome: 'succeeded' });
    expect(told(run)).toEqual([expect.stringContaining('one'), expect.stringContaining('one')]);
    expect(new Set((await run.asked()).map(({ call }) => call))).toEqual(new Set(['call-1', 'call-2']));
  });

  test('a call that was under way is not made again: the model is told that nobody knows', async () => {
    const run = await cluster.run({
      policy: effective('default', [
        { source: "policy 'default'", deny: [], approve: ['execute_command', 'read_file'] },
      ]),
      replies: [calls(['execute_command', { command: 'sleep 1000' }], ['read_file', { path: 'x' }]), says('done')],
    });
    await run.asked(2);
    await run.decide('call-1', 'Approved');
    await eventually(() => inbox(run, 'tool-call').length === 1);
    await run.nextPod();
    await run.decide('call-2', 'Denied', 'no');
    await run.result();
    expect(told(run)[0]).toContain('nobody knows whether it took effect');
    expect(inbox(run, 'tool-call')).toEqual([]);
  });

  test('an agent can not pass another call for the one that was approved', async () => {
    const run = await cluster.run({ policy: ASKING, agent: 'none' });
    await eventually(() => run.inbox().length > 0);
    const call = (id: string, command: string) =>
      run.writer().write({ v: 1, id, type: 'tool-call', tool: 'execute_command', arguments: { command } } as never);
    const checkpoint = (n: number) => run.writer().write({ v: 1, id: 'c', type: 'checkpoint', state: n } as never);
    checkpoint(1);
    call('a', 'harmless');
    await run.asked();
    await run.decide('a', 'Approved');
    await eventually(() => inbox(run, 'tool-call').length === 1);
    run.writer().write({ v: 1, id: 'a', type: 'tool-result', ok: true, content: '' } as never);
    await eventually(() => inbox(run, 'tool-result').length === 1);
    checkpoint(2);
    call('b', 'harmless too');
    await run.asked(2);
    await run.nextPod();
    const task = await eventually(() => run.inbox().find(({ type }) => type === 'task'));
    expect(task).toMatchObject({ resume: { state: 2 } });
    call('a', 'evil'); // was approved, before the checkpoint
    call('b', 'evil'); // will be approved
    await run.decide('b', 'Approved');
    await eventually(() => inbox(run, 'rejected').length === 2);
    expect(inbox(run, 'tool-call')).toEqual([]);
  });

  test('an agent that keeps no checkpoint can not go on, and the run says so', async () => {
    const run = await cluster.run({ policy: ASKING, agent: 'none' });
    await eventually(() => run.inbox().length > 0);
    run.writer().write({ v: 1, id: 'a', type: 'tool-call', tool: 'execute_command', arguments: {} } as never);
    await run.asked();
    await run.nextPod();
    expect(await run.result()).toMatchObject({ outcome: 'failed', reason: 'CheckpointNotFound' });
  });

  test('a Pod that only seemed lost takes no step any more', async () => {
    const run = await cluster.run({ policy: ASKING, agent: 'none' });
    await eventually(() => run.inbox().length > 0);
    run.writer().write({ v: 1, id: 'c', type: 'checkpoint', state: 1 } as never);
    run.writer().write({ v: 1, id: 'a', type: 'tool-call', tool: 'execute_command', arguments: {} } as never);
    await run.asked();
    const checkpoint = await cluster.bus.getCheckpoint(run.ref);
    await cluster.storeAsAnother(run, { ...checkpoint, state: 'of another' } as never);
    await run.decide('a', 'Approved');
    await run.ended;
    expect(inbox(run, 'tool-call')).toEqual([]);
    expect(run.log.said('another attempt at the run has taken over')).toBe(true);
    expect(cluster.results.filter((result) => result.run === run.name)).toEqual([]);
  });
});
