import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect, nkeyAuthenticator, type NatsConnection } from '@nats-io/transport-node';
import { generateBusKeys } from '../../../operator/bus/keys.ts';
import { bytes } from '../../../operator/bus/seed.ts';
import type { RunBus } from '../../../operator/bus/run-bus.ts';
import { lastQuery, READABLE, runInbox, runSubject, STREAMS, WRITABLE } from '../../../operator/bus/subjects.ts';
import { eventually } from '../../support/eventually.ts';
import { NatsServer } from '../../support/nats-server.ts';
import { admin, control, MemoryLog, reviewByName, runBus, success, task, thief } from './support.ts';

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
    await bus.publishControl(mine, control('uid-a', 'rules of team-a'));
    await bus.publishControl(others, control('uid-b', 'rules of team-b'));
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

  test('reads its own task, rules and checkpoint', async () => {
    expect((await request(lastQuery(mine, 'task'))).string()).toContain('mine');
    expect((await request(lastQuery(mine, 'control'))).string()).toContain('rules of team-a');
    expect((await request(lastQuery(mine, 'checkpoint'))).headers?.code).toBe(404); // none yet, and not forbidden
  });

  test.each(READABLE)("can't read another run's %s, by any of JetStream's ways", async (concern) => {
    const stream = STREAMS[concern];
    await refused(() => request(lastQuery(others, concern)));
    await refused(() => request(`$JS.API.DIRECT.GET.${stream}`, JSON.stringify({ seq: 2 })));
    await refused(() => request(`$JS.API.STREAM.MSG.GET.${stream}`, JSON.stringify({ seq: 2 })));
    await refused(() => request(`$JS.API.CONSUMER.CREATE.${stream}.x`, '{}'));
    await refused(() => request(`$JS.API.STREAM.PURGE.${stream}`));
  });

  test.each(WRITABLE)("can't read what runs have said: %s", async (concern) => {
    const stream = STREAMS[concern];
    for (const run of [mine, others]) {
      if (concern !== 'checkpoint' || run !== mine)
        await refused(() => request(`$JS.API.DIRECT.GET.${stream}.${runSubject(run, concern)}`));
    }
    await refused(() => request(`$JS.API.STREAM.MSG.GET.${stream}`, JSON.stringify({ seq: 1 })));
    await refused(() => request(`$JS.API.CONSUMER.MSG.NEXT.${stream}.controller`, '1'));
  });

  test("can't ask JetStream for anything else", async () => {
    await refused(() => request('$JS.API.STREAM.LIST'));
    await refused(() => request('$JS.API.INFO'));
  });

  test.each(Object.keys(STREAMS) as (keyof typeof STREAMS)[])("can't publish another run's %s", async (concern) => {
    await refused(() => request(runSubject(others, concern), JSON.stringify(success('uid-b'))));
  });

  test("can't give itself a task, rules or decisions", async () => {
    await refused(() => request(runSubject(mine, 'task'), '{}'));
    await refused(() => request(runSubject(mine, 'control'), '{}'));
    await refused(() => request('$SYS.REQ.USER.AUTH', '{}'));
    for (const stream of [STREAMS.result, STREAMS.approval, STREAMS.audit])
      await refused(() => request(`$JS.ACK.${stream}.controller.1.1.1.1.0`, '+ACK'));
  });

  test("can't listen to anything but its own inbox and its own rules", async () => {
    for (const subject of [
      '>',
      'sympozium.run.*.*.control',
      runSubject(others, 'event'),
      runSubject(others, 'control'),
      runSubject(mine, 'event'),
      runSubject(mine, 'task'),
      `${runInbox(others)}.>`,
      '_INBOX.>',
    ]) {
      await refused(async () => {
        for await (const message of stolen.subscribe(subject)) throw new Error(`got ${message.subject}`);
      });
    }
  });

  test('hears the rules of its own run, and of no other', async () => {
    const heard: string[] = [];
    stolen.subscribe(runSubject(mine, 'control'), {
      callback: (_, message) => {
        heard.push(message.string());
      },
    });
    await stolen.flush();
    await bus.publishControl(others, control('uid-b', 'rules of team-b, newer'));
    await bus.publishControl(mine, control('uid-a', 'rules of team-a, newer'));
    await eventually(() => heard.length > 0);
    expect(heard.join()).toContain('rules of team-a, newer');
    expect(heard.join()).not.toContain('team-b');
  });

  test.each(WRITABLE)('publishes its own %s', async (concern) => {
    expect((await request(runSubject(mine, concern), '{}')).json()).toMatchObject({ seq: expect.any(Number) });
  });

  test("can't have JetStream's answer delivered as another run's message", async () => {
    const root = await admin(server);
    const streams = await jetstreamManager(root);
    const last = () => streams.streams.getMessage('RUN_TASKS', { last_by_subj: runSubject(others, 'task') });
    const before = await last();
    stolen.publish(runSubject(mine, 'result'), '{}', { reply: runSubject(others, 'task') });
    stolen.publish(lastQuery(mine, 'task'), '', { reply: runSubject(others, 'task') });
    await request(lastQuery(mine, 'task')); // answered after both
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
