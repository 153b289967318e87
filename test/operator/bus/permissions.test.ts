import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect, nkeyAuthenticator, type NatsConnection } from '@nats-io/transport-node';
import { generateBusKeys } from '../../../operator/bus/keys.ts';
import { bytes } from '../../../operator/bus/seed.ts';
import type { RunBus } from '../../../operator/bus/run-bus.ts';
import { runInbox, runSubject, taskQuery } from '../../../operator/bus/subjects.ts';
import { eventually } from '../../support/eventually.ts';
import { NatsServer } from '../../support/nats-server.ts';
import { admin, MemoryLog, reviewByName, runBus, success, task, thief } from './support.ts';

const mine = { namespace: 'team-a', name: 'triage-1' };
const others = { namespace: 'team-b', name: 'triage-1' };

describe('a connection with the token of one run', () => {
  const end = new AbortController();
  const log = new MemoryLog();
  let server: NatsServer;
  let bus: RunBus;
  let stolen: NatsConnection;

  beforeAll(async () => {
    server = await NatsServer.start();
    bus = runBus(server, end.signal, log);
    await eventually(() => bus.ready);
    await bus.publishTask(mine, task('uid-a', 'mine'));
    await bus.publishTask(others, task('uid-b', 'secret of team-b'));
    stolen = await thief(server, mine);
  });
  afterAll(async () => {
    await stolen.close();
    end.abort();
    await server.remove();
  });

  const refused = async (action: () => Promise<unknown>) => {
    await expect(action()).rejects.toThrow(/permissions violation/i);
  };
  const request = (subject: string, body = '') => stolen.request(subject, body, { timeout: 3000 });

  test('reads its own task', async () => {
    expect((await request(taskQuery(mine))).string()).toContain('mine');
  });

  test("can't read another run's task, by any of JetStream's ways", async () => {
    await refused(() => request(taskQuery(others)));
    await refused(() => request('$JS.API.DIRECT.GET.RUN_TASKS', JSON.stringify({ seq: 2 })));
    await refused(() => request('$JS.API.STREAM.MSG.GET.RUN_TASKS', JSON.stringify({ seq: 2 })));
    await refused(() => request('$JS.API.CONSUMER.CREATE.RUN_TASKS.x', '{}'));
    await refused(() => request('$JS.API.STREAM.LIST'));
    await refused(() => request('$JS.API.STREAM.PURGE.RUN_TASKS'));
  });

  test("can't publish for another run, nor its own task", async () => {
    for (const concern of ['task', 'event', 'result'] as const) {
      await refused(() => request(runSubject(others, concern), JSON.stringify(success('uid-b'))));
    }
    await refused(() => request(runSubject(mine, 'task'), '{}'));
    await refused(() => request('$SYS.REQ.USER.AUTH', '{}'));
    await refused(() => request(`$JS.ACK.RUN_RESULTS.controller.1.1.1.1.0`, '+ACK'));
  });

  test("can't listen to anything but its own inbox", async () => {
    for (const subject of [
      '>',
      runSubject(others, 'event'),
      runSubject(mine, 'event'),
      `${runInbox(others)}.>`,
      '_INBOX.>',
    ]) {
      await refused(async () => {
        for await (const message of stolen.subscribe(subject)) throw new Error(`got ${message.subject}`);
      });
    }
  });

  test('publishes its own event and result', async () => {
    for (const concern of ['event', 'result'] as const) {
      expect((await request(runSubject(mine, concern), '{}')).json()).toMatchObject({ seq: expect.any(Number) });
    }
  });

  test("can't have JetStream's answer delivered as another run's message", async () => {
    const root = await admin(server);
    const streams = await jetstreamManager(root);
    const last = () => streams.streams.getMessage('RUN_TASKS', { last_by_subj: runSubject(others, 'task') });
    const before = await last();
    stolen.publish(runSubject(mine, 'result'), '{}', { reply: runSubject(others, 'task') });
    stolen.publish(taskQuery(mine), '', { reply: runSubject(others, 'task') });
    await request(taskQuery(mine)); // answered after both
    const after = await last();
    expect(after?.seq).toBe(before?.seq);
    await root.close();
  });
});

describe("a connection that is nobody's", () => {
  const end = new AbortController();
  const log = new MemoryLog();
  let server: NatsServer;

  beforeAll(async () => {
    server = await NatsServer.start();
    const bus = runBus(server, end.signal, log, (token) =>
      token === 'broken' ? Promise.reject(new Error('the API server is down')) : reviewByName(token),
    );
    await eventually(() => bus.ready);
  });
  afterAll(async () => {
    end.abort();
    await server.remove();
  });

  test.each([
    ['an unknown token', 'bad', "token 'bad' is not a run's"],
    ['no token', undefined, 'no token was sent'],
    ['a token that can not be reviewed', 'broken', 'the API server is down'],
  ])('is refused with %s, and the log says why', async (_, token, because) => {
    await expect(connect({ servers: server.url, token, reconnect: false })).rejects.toThrow(/authorization/i);
    expect(log.said(because)).toBe(true);
  });

  test("is refused with another's nkey", async () => {
    const other = nkeyAuthenticator(bytes(generateBusKeys().controllerSeed));
    await expect(connect({ servers: server.url, authenticator: other, reconnect: false })).rejects.toThrow();
  });
});
