import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { jetstreamManager } from '@nats-io/jetstream';
import { BridgeBus } from '../../../operator/bus/bridge-bus.ts';
import type { ResultMessage } from '../../../operator/bus/messages.ts';
import type { Outcome, RunBus } from '../../../operator/bus/run-bus.ts';
import { runSubject } from '../../../operator/bus/subjects.ts';
import { SILENT } from '../../../operator/log.ts';
import { eventually } from '../../support/eventually.ts';
import { NatsServer } from '../../support/nats-server.ts';
import { admin, bridgeBus, MemoryLog, reviewByName, runBus, success, task } from './support.ts';

jest.setTimeout(30_000);

const run = { namespace: 'test', name: 'triage' };

describe('the bus', () => {
  let server: NatsServer;
  const ends: AbortController[] = [];
  const end = (): AbortController => {
    const controller = new AbortController();
    ends.push(controller);
    return controller;
  };
  beforeEach(async () => {
    server = await NatsServer.start();
  });
  afterEach(async () => {
    for (const controller of ends.splice(0)) controller.abort();
    await server.remove();
  });

  const collect = (bus: RunBus, signal: AbortSignal, outcome: (uid: string) => Outcome = () => 'done') => {
    const got: ResultMessage[] = [];
    const done = bus.consumeResults((_, result) => {
      got.push(result);
      return Promise.resolve(outcome(result.uid));
    }, signal);
    return { got, done };
  };

  test('a bridge waits for its task, and gets it soon after it is published', async () => {
    const { signal } = end();
    const bus = runBus(server, signal);
    await eventually(() => bus.ready);
    const bridge = await bridgeBus(server, run, 'uid-1', signal);
    const found = bridge.getTask();
    await bus.publishTask(run, task('uid-of-an-earlier-run'));
    await bus.publishTask(run, task('uid-1', 'the right one'));
    expect(await found).toMatchObject({ uid: 'uid-1', task: { input: 'the right one' } });
    await bridge.close();
  });

  test('a task that is published again after a change replaces the first', async () => {
    const { signal } = end();
    const bus = runBus(server, signal);
    await bus.publishTask(run, task('uid-1', 'a'));
    await bus.publishTask(run, task('uid-1', 'a'));
    await bus.publishTask(run, task('uid-2', 'b'));
    const bridge = await bridgeBus(server, run, 'uid-2', signal);
    expect(await bridge.getTask()).toMatchObject({ uid: 'uid-2' });
    await bridge.close();
  });

  test('a result that is published while no controller runs is delivered later, once', async () => {
    const first = end();
    const bus = runBus(server, first.signal);
    await eventually(() => bus.ready);
    const bridge = await bridgeBus(server, run, 'uid-1', end().signal);
    first.abort();
    for (let repeat = 0; repeat < 3; repeat += 1) await bridge.publishResult(success('uid-1'), 10_000);
    await bridge.publishResult(success('uid-2'), 10_000);
    await bridge.close();

    const second = end();
    const { got } = collect(runBus(server, second.signal), second.signal);
    await eventually(() => got.length === 2);
    expect(got.map(({ uid }) => uid)).toEqual(['uid-1', 'uid-2']);
    second.abort();

    const third = end();
    const again = collect(runBus(server, third.signal), third.signal);
    const other = await bridgeBus(server, run, 'uid-3', third.signal);
    await other.publishResult(success('uid-3'), 10_000);
    await eventually(() => again.got.length > 0);
    expect(again.got.map(({ uid }) => uid)).toEqual(['uid-3']); // what was acknowledged does not come again
    await other.close();
  });

  test('a result is acknowledged after its effect: a controller that dies before gets it again', async () => {
    const first = end();
    const bus = runBus(server, first.signal);
    await eventually(() => bus.ready);
    let started = 0;
    void bus.consumeResults(() => {
      started += 1;
      return new Promise(() => undefined); // never done, as if the process hung
    }, first.signal);
    const bridge = await bridgeBus(server, run, 'uid-1', end().signal);
    await bridge.publishResult(success('uid-1'), 10_000);
    await eventually(() => started === 1);
    first.abort();
    await bridge.close();
    const root = await admin(server);
    const { num_ack_pending } = await (await jetstreamManager(root)).consumers.info('RUN_RESULTS', 'controller');
    expect(num_ack_pending).toBe(1);
    await root.close();

    const second = end();
    const { got } = collect(runBus(server, second.signal), second.signal);
    await eventually(() => got.length === 1, 9_000); // before the run would be given up without a result
  });

  test('a handler that fails or asks for it gets the result again; poison goes to the dead letters', async () => {
    const { signal } = end();
    const log = new MemoryLog();
    const bus = runBus(server, signal, log);
    await eventually(() => bus.ready);
    const deliveries = new Map<string, number>();
    void bus.consumeResults((_, { uid }) => {
      const count = (deliveries.get(uid) ?? 0) + 1;
      deliveries.set(uid, count);
      if (uid === 'poison') return Promise.resolve({ poison: 'the run was never known' });
      if (count > 1) return Promise.resolve('done');
      return uid === 'throws' ? Promise.reject(new Error('API server is down')) : Promise.resolve({ retryInMs: 10 });
    }, signal);
    const bridge = await bridgeBus(server, run, 'x', signal);
    for (const uid of ['throws', 'retries', 'poison']) await bridge.publishResult(success(uid), 10_000);
    await eventually(() => deliveries.get('throws') === 2 && deliveries.get('retries') === 2);
    expect(log.said('API server is down')).toBe(true);
    await bridge.close();

    const root = await admin(server);
    const jsm = await jetstreamManager(root);
    const dead = await eventually(async () => (await jsm.streams.getMessage('DEAD_LETTERS', { seq: 1 })) ?? undefined);
    expect(dead.json()).toMatchObject({ stream: 'RUN_RESULTS', reason: 'the run was never known' });
    expect(deliveries.get('poison')).toBe(1);
    await root.close();
  });

  test('what is no result is dead at once', async () => {
    const { signal } = end();
    const log = new MemoryLog();
    const bus = runBus(server, signal, log);
    const { got } = collect(bus, signal);
    await eventually(() => bus.ready);
    const root = await admin(server);
    for (const body of [
      '',
      '[]',
      '{"v":2}',
      '{"v":1,"uid":"u","outcome":"succeeded"}',
      JSON.stringify({ ...success('u'), outcome: 'great' }),
    ]) {
      root.publish(runSubject(run, 'result'), body);
    }
    await eventually(() => log.lines.filter(({ message }) => message === 'Gave up a message').length === 5);
    expect(got).toEqual([]);
    await root.close();
  });

  test('is usable from before NATS is there, through its restarts, and after it has lost its disk', async () => {
    const { signal } = end();
    await server.stop();
    const log = new MemoryLog();
    const bus = runBus(server, signal, log);
    const { got } = collect(bus, signal);
    await expect(bus.publishTask(run, task('uid-1'))).rejects.toThrow(/bus not reached: no connection to nats:/);
    expect(bus.ready).toBe(false);

    await server.start();
    await eventually(() => bus.ready);
    await bus.publishTask(run, task('uid-1'));
    await server.stop();
    await server.start();
    const bridge = await bridgeBus(server, run, 'uid-1', signal);
    expect(await bridge.getTask()).toMatchObject({ uid: 'uid-1' }); // kept on disk
    await bridge.publishResult(success('uid-1'), 10_000);
    await eventually(() => got.length === 1);

    await server.stop();
    server.loseData();
    await server.start();
    await eventually(() =>
      bus.publishTask(run, task('uid-1')).then(
        () => true,
        () => false,
      ),
    );
    expect(await bridge.getTask()).toMatchObject({ uid: 'uid-1' });
    await bridge.publishResult(success('uid-1'), 10_000);
    await eventually(() => got.length === 2);
    await bridge.close();
  });

  test('forgets a run: its task, events and result, and no other run’s', async () => {
    const { signal } = end();
    const bus = runBus(server, signal);
    const other = { namespace: 'test', name: 'triage-2' };
    for (const ref of [run, other]) {
      await bus.publishTask(ref, task(`uid-${ref.name}`));
      const bridge = await bridgeBus(server, ref, `uid-${ref.name}`, signal);
      bridge.publishEvent({ v: 1, uid: `uid-${ref.name}`, at: '2026-01-01T00:00:00Z', type: 'started' });
      await bridge.publishResult(success(`uid-${ref.name}`), 10_000);
      await bridge.close();
    }
    await bus.forget(run);
    await bus.forget(run);
    const root = await admin(server);
    const jsm = await jetstreamManager(root);
    for (const stream of ['RUN_TASKS', 'RUN_EVENTS', 'RUN_RESULTS']) {
      const { state } = await jsm.streams.info(stream, { subjects_filter: '>' });
      expect(Object.keys(state.subjects ?? {})).toEqual([expect.stringContaining('triage-2')]);
    }
    await root.close();
  });

  test('a bridge reads its token again at every connection', async () => {
    const { signal } = end();
    const bus = runBus(server, signal, SILENT, (token) =>
      token === `valid-${generation}` ? reviewByName('test/triage') : Promise.resolve({ denied: 'rotated' }),
    );
    let generation = 1;
    await bus.publishTask(run, task('uid-1'));
    const tokens: string[] = [];
    const token = () => {
      tokens.push(`valid-${generation}`);
      return `valid-${generation}`;
    };
    const bridge = await BridgeBus.connect({ url: server.url, run, uid: 'uid-1', token, log: SILENT, signal });
    generation = 2;
    await server.stop();
    await server.start();
    await eventually(() => tokens.includes('valid-2'));
    await bridge.publishResult(success('uid-1'), 20_000);
    await bridge.close();
  });

  test('permissions end with the run, and can be asked for again', async () => {
    const { signal } = end();
    let asked = 0;
    const bus = runBus(server, signal, SILENT, () => {
      asked += 1;
      return Promise.resolve({ ...run, expiresInSeconds: asked === 1 ? 1 : 60 });
    });
    await bus.publishTask(run, task('uid-1'));
    const bridge = await bridgeBus(server, run, 'uid-1', signal);
    await eventually(() => asked >= 2);
    expect(await bridge.getTask()).toMatchObject({ uid: 'uid-1' });
    await bridge.close();
  });

  test('replicas share the questions of the callout, and any of them answers', async () => {
    const first = end();
    const second = end();
    const asked = [0, 0];
    const counting = (index: 0 | 1) => (token: string) => {
      asked[index] = (asked[index] ?? 0) + 1;
      return reviewByName(token);
    };
    const buses = [
      runBus(server, first.signal, SILENT, counting(0)),
      runBus(server, second.signal, SILENT, counting(1)),
    ];
    await eventually(() => buses.every(({ ready }) => ready));
    for (let n = 0; n < 20; n += 1) await (await bridgeBus(server, run, 'u', second.signal)).close();
    expect((asked[0] ?? 0) + (asked[1] ?? 0)).toBe(20);
    expect(Math.min(...asked)).toBeGreaterThan(0);
    first.abort();
    for (let n = 0; n < 5; n += 1) await (await bridgeBus(server, run, 'u', second.signal)).close();
    expect(asked[1]).toBeGreaterThanOrEqual(5);
  });
});
