import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { connect, type NatsConnection, tokenAuthenticator } from '@nats-io/transport-node';
import type { Authentication } from '../../../operator/bus/callout.ts';
import { EventListener, type HeardEvent } from '../../../operator/bus/event-listener.ts';
import { SILENT } from '../../../operator/log.ts';
import { runSubject } from '../../../operator/bus/subjects.ts';
import { eventually } from '../../support/eventually.ts';
import { NatsServer } from '../../support/nats-server.ts';
import { bridgeBus, MemoryLog, reviewByName, runBus } from './support.ts';

const mine = { namespace: 'team-a', name: 'web-helper-1' };
const others = { namespace: 'team-b', name: 'web-helper-1' };

/** `listen:<namespace>:<seconds>` is the token of a web endpoint there. */
const review = (token: string): Promise<Authentication> => {
  const [, listensTo, seconds] = /^listen:(.+):(\d+)$/.exec(token) ?? [];
  if (listensTo === undefined) return reviewByName(token);
  return Promise.resolve({ name: 'web-helper', listensTo, expiresInSeconds: Number(seconds) });
};

describe('A web endpoint on the bus', () => {
  const end = new AbortController();
  const log = new MemoryLog();
  let server: NatsServer;
  let listener: EventListener;
  let stolen: NatsConnection;
  const errors: string[] = [];

  beforeAll(async () => {
    server = await NatsServer.start();
    const bus = runBus(server, end.signal, SILENT, review);
    await eventually(() => bus.ready);
    const token = () => 'listen:team-a:60';
    listener = new EventListener({ url: server.url, name: 'endpoint', token, log, signal: end.signal });
    stolen = await connect({
      servers: server.url,
      authenticator: tokenAuthenticator('listen:team-a:60'),
      reconnect: false,
      ignoreAuthErrorAbort: true,
    });
    void (async () => {
      for await (const status of stolen.status()) errors.push('error' in status ? status.error.message : status.type);
    })();
  });
  afterAll(async () => {
    await stolen.close();
    end.abort();
    await server.remove();
  });

  /** Everything that is said about a run, from now on. */
  const hear = async (run: typeof mine) => {
    const heard: HeardEvent[] = [];
    const stop = await listener.listen(run, (event) => heard.push(event));
    return { heard, stop };
  };
  const say = async (run: typeof mine, ...texts: readonly string[]) => {
    const bridge = await bridgeBus(server, run, 'uid', end.signal);
    for (const text of texts) bridge.publishEvent({ v: 1, uid: 'uid', at: '', type: 'delta', text });
    await bridge.close();
  };

  test('hears a run of its namespace in order, until it has heard enough', async () => {
    const { heard, stop } = await hear(mine);
    await say(mine, 'a', 'b', 'c');
    await eventually(() => heard.length === 3);
    expect(heard.map(({ event, sequence }) => ('text' in event ? [sequence, event.text] : []))).toEqual([[1, 'a'], [2, 'b'], [3, 'c']]); // prettier-ignore
    expect(new Set(heard.map(({ source }) => source)).size).toBe(1);
    stop();
    const again = await hear(mine);
    await say(mine, 'd');
    await eventually(() => again.heard.length === 1);
    expect(heard).toHaveLength(3);
    expect(again.heard[0]?.source).not.toBe(heard[0]?.source);
    again.stop();
  });

  test('goes on hearing when its permission has ended and it has got another', async () => {
    const brief = new MemoryLog();
    const seconds = [1];
    const token = () => `listen:team-a:${seconds.pop() ?? 60}`;
    const again = new EventListener({ url: server.url, name: 'brief', token, log: brief, signal: end.signal });
    const heard: HeardEvent[] = [];
    const stop = await again.listen(mine, (event) => heard.push(event));
    await eventually(() => brief.said('Connected to the bus again'));
    await say(mine, 'still here');
    await eventually(() => heard.length === 1);
    stop();
  });

  test("hears nothing of another namespace's run of that name", async () => {
    const own = await hear(mine);
    const foreign = await hear(others);
    await say(others, 'secret of team-b');
    await say(mine, 'mine');
    await eventually(() => own.heard.length === 1);
    expect([own.heard.length, foreign.heard.length]).toEqual([1, 0]);
    own.stop();
    foreign.stop();
  });

  test.each([
    '>',
    'sympozium.>',
    'sympozium.run.*.*.event',
    runSubject(others, 'event'),
    runSubject(mine, 'task'),
    runSubject(mine, 'result'),
    runSubject(mine, 'control'),
    runSubject(mine, 'checkpoint'),
    '$JS.EVENT.>',
    '_INBOX.>',
  ])("its token can't listen to %s", async (subject) => {
    const listening = async () => {
      for await (const message of stolen.subscribe(subject)) throw new Error(`got ${message.subject}`);
    };
    await expect(listening()).rejects.toThrow(/permissions violation/i);
  });

  test.each([
    runSubject(mine, 'event'),
    runSubject(mine, 'result'),
    runSubject(mine, 'control'),
    '$JS.API.STREAM.LIST',
    '$JS.API.DIRECT.GET.RUN_TASKS',
    '$SYS.REQ.USER.AUTH',
    'anything',
  ])("its token can't say anything on %s", async (subject) => {
    const seen = eventually(() => errors.some((error) => error.includes(`Publish to "${subject}"`)), 5000);
    stolen.publish(subject, '{}');
    await stolen.flush();
    await seen;
  });
});
