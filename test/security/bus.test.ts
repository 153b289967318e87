import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect, headers, tokenAuthenticator, type NatsConnection } from '@nats-io/transport-node';
import { BridgeBus } from '../../operator/bus/bridge-bus.ts';
import type { AuditRecord, ResultMessage } from '../../operator/bus/messages.ts';
import type { RunBus } from '../../operator/bus/run-bus.ts';
import {
  lastQuery,
  READABLE,
  runInbox,
  runSubject,
  STREAMS,
  WRITABLE,
  type RunRef,
} from '../../operator/bus/subjects.ts';
import { SILENT } from '../../operator/log.ts';
import { admin, MemoryLog, reviewByName, runBus, success, task, thief } from '../operator/bus/support.ts';
import { eventually } from '../support/eventually.ts';
import { NatsServer } from '../support/nats-server.ts';

const mine = { namespace: 'team-a', name: 'triage-1' };
/** Whom the thief of a token would like to be: another run of its namespace, and one of its name in another's. */
const others: readonly RunRef[] = [
  { namespace: 'team-a', name: 'triage-2' },
  { namespace: 'team-b', name: 'triage-1' },
];
const CONCERNS = Object.keys(STREAMS) as (keyof typeof STREAMS)[];

describe('R11: who stole the token of a run', () => {
  const end = new AbortController();
  const results: { readonly run: RunRef; readonly result: ResultMessage }[] = [];
  const audits: { readonly run: RunRef; readonly record: AuditRecord }[] = [];
  let server: NatsServer;
  let bus: RunBus;
  let root: NatsConnection;
  let stolen: NatsConnection;

  beforeAll(async () => {
    server = await NatsServer.start();
    bus = runBus(server, end.signal);
    await eventually(() => bus.ready);
    void bus.consumeResults((run, result) => {
      results.push({ run, result });
      return Promise.resolve('done');
    }, end.signal);
    void bus.consumeAudit((run, record) => {
      audits.push({ run, record });
      return Promise.resolve('done');
    }, end.signal);
    for (const run of [mine, ...others]) await bus.publishTask(run, task(`uid-${run.namespace}-${run.name}`, 'secret'));
    root = await admin(server);
    stolen = await thief(server, mine);
  });
  afterAll(async () => {
    await stolen.close();
    await root.close();
    end.abort();
    await server.remove();
  });

  const request = (subject: string, body = '') => stolen.request(subject, body, { timeout: 3000 });
  const refused = async (subject: string, body = '') => {
    await expect(request(subject, body)).rejects.toThrow(/permissions violation/i);
  };
  const deaf = async (subject: string, queue?: string) => {
    const listen = async () => {
      const subscription = stolen.subscribe(subject, queue === undefined ? {} : { queue });
      for await (const message of subscription) throw new Error(`heard ${message.subject}`);
    };
    await expect(listen()).rejects.toThrow(/permissions violation/i);
  };
  const stored = async () => {
    const streams = await (await jetstreamManager(root)).streams.list().next();
    return Object.fromEntries(streams.map(({ config, state }) => [config.name, state.messages]));
  };

  test.each(others)('publishes nothing of %j', async (other) => {
    for (const concern of CONCERNS) await refused(runSubject(other, concern), JSON.stringify(success('uid')));
  });

  test.each(others)('reads nothing of %j', async (other) => {
    for (const concern of READABLE) await refused(lastQuery(other, concern));
    for (const concern of CONCERNS) {
      await refused(`$JS.API.DIRECT.GET.${STREAMS[concern]}.${runSubject(other, concern)}`);
      await deaf(runSubject(other, concern));
    }
  });

  test('publishes for its own run what a bridge says, and not what it is told', async () => {
    for (const concern of CONCERNS.filter((name) => !(WRITABLE as readonly string[]).includes(name))) {
      await refused(runSubject(mine, concern), '{}');
    }
    expect((await request(lastQuery(mine, 'task'))).string()).toContain('secret');
  });

  test.each(CONCERNS)(
    'asks nothing of JetStream about the stream of %ss but the last message of its run',
    async (concern) => {
      const stream = STREAMS[concern];
      for (const subject of [
        ...['INFO', 'NAMES', 'LIST'].map((verb) => `$JS.API.STREAM.${verb}`),
        '$JS.API.INFO',
        ...['INFO', 'CREATE', 'UPDATE', 'DELETE', 'PURGE', 'SNAPSHOT', 'RESTORE'].map(
          (verb) => `$JS.API.STREAM.${verb}.${stream}`,
        ),
        ...['GET', 'DELETE'].map((verb) => `$JS.API.STREAM.MSG.${verb}.${stream}`),
        `$JS.API.DIRECT.GET.${stream}`,
        `$JS.API.DIRECT.GET.${stream}.>`,
        `$JS.API.DIRECT.GET.${stream}.sympozium.run.*.*.${concern}`,
        `$JS.API.CONSUMER.CREATE.${stream}`,
        `$JS.API.CONSUMER.CREATE.${stream}.x.${runSubject(mine, concern)}`,
        `$JS.API.CONSUMER.DURABLE.CREATE.${stream}.x`,
        `$JS.API.CONSUMER.MSG.NEXT.${stream}.controller`,
        `$JS.API.CONSUMER.DELETE.${stream}.controller`,
        `$JS.ACK.${stream}.controller.1.1.1.1.0`,
      ]) {
        await refused(subject, JSON.stringify({ seq: 1, last_by_subj: runSubject(mine, concern) }));
      }
    },
  );

  test('asks nothing of the system, and answers nobody in its place', async () => {
    for (const subject of [
      '$SYS.REQ.USER.AUTH',
      '$SYS.REQ.USER.INFO',
      '$SYS.REQ.ACCOUNT.PING.CONNZ',
      '$SYS.REQ.SERVER.PING',
      '$SYS.REQ.SERVER.PING.CONNZ',
      '$SYS._INBOX.x',
    ]) {
      await refused(subject);
    }
    for (const subject of ['$SYS.>', '$SYS.REQ.USER.AUTH', '$JS.API.>', '$JS.EVENT.ADVISORY.>']) await deaf(subject);
    await deaf('$SYS.REQ.USER.AUTH', 'callout');
  });

  test('hears nothing by a wildcard, and nothing in the inboxes of others', async () => {
    for (const subject of [
      '>',
      'sympozium.>',
      'sympozium.run.*.*.control',
      `sympozium.run.${mine.namespace}.*.control`,
      `sympozium.run.${mine.namespace}.${mine.name}.*`,
      '_INBOX.>',
      '_INBOX_>',
      ...others.map((other) => `${runInbox(other)}.>`),
      ...others.map((other) => `${runInbox(other)}.stored-audit.1`),
    ]) {
      await deaf(subject);
    }
    await refused(`${runInbox(others[1] ?? mine)}.x`, 'an answer that is none');
  });

  test('removes nothing of others by the headers that JetStream obeys', async () => {
    const [victim] = others;
    const witness = await BridgeBus.connect({ url: server.url, run: victim ?? mine, uid: 'u', token: () => 'team-a/triage-2', log: SILENT, signal: end.signal }); // prettier-ignore
    witness.publishEvent({ v: 1, uid: 'u', at: 'now', type: 'log', text: 'still here' });
    await witness.close();
    const before = await stored();
    for (const rollup of ['all', 'sub']) {
      const forged = headers();
      forged.set('Nats-Rollup', rollup);
      for (const concern of WRITABLE) {
        const answer = (
          await stolen.request(runSubject(mine, concern), '{}', { headers: forged, timeout: 3000 })
        ).json();
        expect(answer).toMatchObject({ error: { description: expect.stringMatching(/rollup/) } });
      }
    }
    expect(await stored()).toEqual(before);
    expect(before.RUN_EVENTS).toBeGreaterThan(0);
  });

  test('keeps no result of another from being stored by using its message id first', async () => {
    const [victim = mine] = others;
    const uid = `uid-${victim.namespace}-${victim.name}`;
    for (const id of [`${uid}.result`, `${uid}.c1.approval`]) {
      const forged = headers();
      forged.set('Nats-Msg-Id', id);
      await stolen.request(runSubject(mine, id.endsWith('result') ? 'result' : 'approval'), '{}', {
        headers: forged,
        timeout: 3000,
      });
    }
    const bridge = await BridgeBus.connect({ url: server.url, run: victim, uid, token: () => 'team-a/triage-2', log: SILENT, signal: end.signal }); // prettier-ignore
    const before = await stored();
    await bridge.publishApproval({ v: 1, uid, call: 'c1', tool: 't', arguments: {}, rule: 'r' });
    await bridge.publishResult(success(uid, 'the real one'), 5000);
    await bridge.close();
    await eventually(() => results.some(({ run, result }) => run.name === 'triage-2' && result.uid === uid));
    expect((await stored()).RUN_APPROVALS).toBe((before.RUN_APPROVALS ?? 0) + 1);
  });

  test('R12: names another run in what it says, and is taken for itself', async () => {
    const forged = { ...success('uid-team-b-triage-1', 'forged'), namespace: 'team-b', run: 'triage-1' };
    await request(runSubject(mine, 'result'), JSON.stringify(forged));
    const record: AuditRecord = { v: 1, uid: 'u', at: 'now', namespace: 'team-b', run: 'triage-1', action: 'tool', verdict: 'allowed', rule: 'forged' }; // prettier-ignore
    await request(runSubject(mine, 'audit'), JSON.stringify(record));
    const [result, audit] = [
      await eventually(() =>
        results.find(({ result }) => result.outcome === 'succeeded' && result.output === 'forged'),
      ),
      await eventually(() => audits.find(({ record: { rule } }) => rule === 'forged')),
    ];
    expect(result.run).toEqual(mine);
    expect(audit.run).toEqual(mine);
  });

  test('sends no message that is larger than the protocol’s largest', () => {
    const huge = 'x'.repeat(3 * 1024 * 1024);
    expect(() => {
      stolen.publish(runSubject(mine, 'event'), huge);
    }).toThrow(/payload/i);
  });
});

describe('R11: the credential of a run', () => {
  const end = new AbortController();
  const log = new MemoryLog();
  const ended = new Set<string>();
  let server: NatsServer;
  let asked = 0;

  beforeAll(async () => {
    server = await NatsServer.start();
    const bus = runBus(server, end.signal, log, (token) => {
      asked += 1;
      if (ended.has(token)) return Promise.resolve({ denied: `AgentRun '${token}' has ended` });
      return reviewByName(token).then((found) => ({ ...found, expiresInSeconds: 1 }));
    });
    await eventually(() => bus.ready);
  });
  afterAll(async () => {
    end.abort();
    await server.remove();
  });

  test('expires with the run: its connection is closed, and it gets no other', async () => {
    const token = 'team-a/brief';
    const stolen = await connect({
      servers: server.url,
      authenticator: tokenAuthenticator(token),
      inboxPrefix: runInbox({ namespace: 'team-a', name: 'brief' }),
      reconnect: false,
    });
    ended.add(token);
    expect(String(await stolen.closed())).toMatch(/expired/i);
    await expect(
      connect({ servers: server.url, authenticator: tokenAuthenticator(token), reconnect: false }),
    ).rejects.toThrow(/authorization/i);
    expect(log.said('has ended')).toBe(true);
  });

  test('is asked for anew while the run goes on, and its bridge does not notice', async () => {
    const run = { namespace: 'team-a', name: 'long' };
    const bridge = await BridgeBus.connect({ url: server.url, run, uid: 'u', token: () => 'team-a/long', log: SILENT, signal: end.signal }); // prettier-ignore
    const before = asked;
    await eventually(() => asked >= before + 2, 10_000);
    await bridge.publishResult(success('u'), 5000);
    await bridge.close();
  });
});
