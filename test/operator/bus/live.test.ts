import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { jetstreamManager } from '@nats-io/jetstream';
import { SupersededError, type BridgeBus } from '../../../operator/bus/bridge-bus.ts';
import type { ApprovalMessage, AuditRecord, ControlMessage } from '../../../operator/bus/messages.ts';
import type { RunBus } from '../../../operator/bus/run-bus.ts';
import { runSubject } from '../../../operator/bus/subjects.ts';
import { eventually } from '../../support/eventually.ts';
import { NatsServer } from '../../support/nats-server.ts';
import { admin, bridgeBus, checkpoint, control, MemoryLog, reviewByName, runBus, success, task } from './support.ts';

jest.setTimeout(30_000);

const run = { namespace: 'test', name: 'triage' };
const approval = (call: string): ApprovalMessage => ({
  v: 1,
  uid: 'uid-1',
  call,
  tool: 'deploy',
  arguments: { to: 'production' },
  rule: "policy 'default' asks",
});
const record = (rule: string): AuditRecord => ({
  v: 1,
  uid: 'uid-1',
  at: '2026-01-01T00:00:00Z',
  ...{ namespace: 'test', run: 'triage', action: 'tool', verdict: 'denied', rule },
});

describe('while a run goes on', () => {
  let server: NatsServer;
  let bus: RunBus;
  let bridge: BridgeBus;
  let log: MemoryLog;
  let end: AbortController;
  beforeEach(async () => {
    server = await NatsServer.start();
    end = new AbortController();
    log = new MemoryLog();
    bus = runBus(server, end.signal, log);
    await eventually(() => bus.ready);
    bridge = await bridgeBus(server, run, 'uid-1', end.signal);
  });
  afterEach(async () => {
    end.abort();
    await bridge.close(0);
    await server.remove();
  });

  test('its bridge hears new rules at once, and can ask for the newest at any time', async () => {
    const heard: ControlMessage[] = [];
    bridge.onControl((message) => heard.push(message));
    expect(await bridge.getControl()).toBeUndefined(); // also waits until the subscription is known
    await bus.publishControl(run, control('uid-1', 'first'));
    await eventually(() => heard.length === 1);
    await bus.publishControl(run, control('uid-1', 'second'));
    expect(await bridge.getControl()).toMatchObject({ policy: { name: 'second' } });
    await eventually(() => heard.length === 2);
  });

  test('what was said to an earlier run of its name is not heard', async () => {
    const heard: ControlMessage[] = [];
    bridge.onControl((message) => heard.push(message));
    await bridge.getControl();
    await bus.publishControl(run, control('uid-0'));
    expect(await bridge.getControl()).toBeUndefined();
    await bus.publishControl(run, control('uid-1'));
    await eventually(() => heard.length > 0);
    expect(heard.map(({ uid }) => uid)).toEqual(['uid-1']);
  });

  test('while the bus is away its rules are waited for, and what was said meanwhile is heard after', async () => {
    const heard: string[] = [];
    bridge.onControl(({ policy }) => heard.push(policy.name));
    await bridge.getControl(); // until the subscription is known
    await bus.publishControl(run, control('uid-1', 'before'));
    await eventually(() => heard.includes('before'));
    await server.stop();
    let answered = false;
    const asked = bridge.getControl().finally(() => (answered = true));
    await server.start();
    expect(answered).toBe(false);
    expect(await asked).toMatchObject({ policy: { name: 'before' } });
    await eventually(() => heard.filter((name) => name === 'before').length === 2);
  });

  test('its calls that wait for a person are delivered, each once however often it is asked for', async () => {
    const got: string[] = [];
    void bus.consumeApprovals(({ name }, { call }) => {
      got.push(`${name} ${call}`);
      return Promise.resolve('done');
    }, end.signal);
    for (const call of ['a', 'b', 'a', 'a']) await bridge.publishApproval(approval(call));
    await bridge.publishApproval(approval('c'));
    await eventually(() => got.length === 3);
    expect(got).toEqual(['triage a', 'triage b', 'triage c']);
  });

  test('its audit records are delivered, also those that the bus was away for', async () => {
    const got: string[] = [];
    void bus.consumeAudit((_, { rule }) => {
      got.push(rule);
      return Promise.resolve('done');
    }, end.signal);
    bridge.publishAudit(record('one'));
    await eventually(() => got.length === 1);
    await server.stop();
    bridge.publishAudit(record('two'));
    await server.start();
    await eventually(() => got.length === 2, 20_000);
    expect(got).toEqual(['one', 'two']);
  });

  test('what is no approval and no audit record is given up', async () => {
    for (const feed of [
      bus.consumeApprovals(() => Promise.resolve('done'), end.signal),
      bus.consumeAudit(() => Promise.resolve('done'), end.signal),
    ])
      void feed;
    const root = await admin(server);
    const bodies = [
      'no',
      '[]',
      '{}',
      '{"v":1}',
      '{"v":1,"uid":"u"}',
      JSON.stringify({ ...approval('a'), arguments: 3 }),
    ];
    for (const body of bodies) root.publish(runSubject(run, 'approval'), body);
    for (const body of bodies) root.publish(runSubject(run, 'audit'), body);
    await eventually(() => log.lines.filter(({ message }) => message === 'Gave up a message').length === 12);
    const dead = await (await jetstreamManager(root)).streams.info('DEAD_LETTERS');
    expect(dead.state.messages).toBe(12);
    await root.close();
  });

  test('its checkpoint is read by another attempt, and by the controller', async () => {
    expect(await bridge.getCheckpoint()).toBeUndefined();
    expect(await bus.getCheckpoint(run)).toBeUndefined();
    await bridge.storeCheckpoint(checkpoint('uid-1', 1));
    await bridge.storeCheckpoint(checkpoint('uid-1', 2));
    expect(await bus.getCheckpoint(run)).toMatchObject({ state: 2 });
    const next = await bridgeBus(server, run, 'uid-1', end.signal);
    expect(await next.getCheckpoint()).toEqual(checkpoint('uid-1', 2));
    await next.close();
  });

  test('of two attempts that both believe to be the only one, one is stopped', async () => {
    await bridge.storeCheckpoint(checkpoint('uid-1', 'first'));
    const next = await bridgeBus(server, run, 'uid-1', end.signal);
    expect(await next.getCheckpoint()).toMatchObject({ state: 'first' });
    await next.storeCheckpoint(checkpoint('uid-1', 'same'));
    await expect(bridge.storeCheckpoint(checkpoint('uid-1', 'same'))).rejects.toThrow(SupersededError);
    await next.storeCheckpoint(checkpoint('uid-1', 'third'));
    expect(await bus.getCheckpoint(run)).toMatchObject({ state: 'third' });
    await next.close();
  });

  test('a checkpoint of an earlier run of its name is neither read nor in the way', async () => {
    const earlier = await bridgeBus(server, run, 'uid-0', end.signal);
    await earlier.storeCheckpoint(checkpoint('uid-0', 'old'));
    await earlier.close();
    expect(await bridge.getCheckpoint()).toBeUndefined();
    await bridge.storeCheckpoint(checkpoint('uid-1', 'new'));
    expect(await bus.getCheckpoint(run)).toMatchObject({ state: 'new' });
  });

  test('a checkpoint is stored once, though NATS goes away while it is', async () => {
    await bridge.storeCheckpoint(checkpoint('uid-1', 1));
    await server.stop();
    const storing = bridge.storeCheckpoint(checkpoint('uid-1', 2));
    await server.start();
    await storing;
    await bridge.storeCheckpoint(checkpoint('uid-1', 3));
    expect(await bus.getCheckpoint(run)).toMatchObject({ state: 3 });
  });

  test('all that is kept of it but the audit records is forgotten', async () => {
    await bus.publishTask(run, task('uid-1'));
    await bus.publishControl(run, control('uid-1'));
    await bridge.storeCheckpoint(checkpoint('uid-1', 1));
    await bridge.publishApproval(approval('a'));
    await bridge.publishResult(success('uid-1'), 5000);
    bridge.publishAudit(record('one'));
    await bridge.close();
    await bus.forget(run);
    const root = await admin(server);
    const left: Record<string, number> = {};
    for await (const { config, state } of (await jetstreamManager(root)).streams.list())
      if (state.messages > 0) left[config.name] = state.messages;
    expect(left).toEqual({ RUN_AUDIT: 1 });
    await root.close();
  });
});

test('a bridge that a controller of another version has let in with other rights asks again', async () => {
  const server = await NatsServer.start();
  const end = new AbortController();
  let asked = 0;
  const bus = runBus(server, end.signal, new MemoryLog(), (token) => {
    asked += 1;
    return reviewByName(asked === 1 ? `${token}-of-another-version` : token);
  });
  await eventually(() => bus.ready);
  const bridge = await bridgeBus(server, run, 'uid-1', end.signal);
  try {
    const heard: string[] = [];
    bridge.onControl(({ policy }) => heard.push(policy.name));
    await bus.publishControl(run, control('uid-1', 'first'));
    expect(await bridge.getControl()).toMatchObject({ policy: { name: 'first' } });
    await bus.publishControl(run, control('uid-1', 'second'));
    await eventually(() => heard.includes('second'));
    expect(asked).toBe(2);
  } finally {
    end.abort();
    await bridge.close(0);
    await server.remove();
  }
});
