import { jetstreamManager, type ClusterInfo } from '@nats-io/jetstream';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { SILENT } from '../../../operator/log.ts';
import { RunBus } from '../../../operator/bus/run-bus.ts';
import { CONSUMER, STREAMS } from '../../../operator/bus/subjects.ts';
import { eventually } from '../../support/eventually.ts';
import { must } from '../../support/must.ts';
import { NatsServer } from '../../support/nats-server.ts';
import { admin, bridgeBus, reviewByName, success, task } from './support.ts';

let servers: readonly NatsServer[];
const run = { namespace: 'team', name: 'one' };

beforeAll(async () => {
  servers = await NatsServer.startThree();
}, 30_000);
afterAll(() => Promise.all(servers.map((server) => server.remove())));

/** A controller that keeps the streams on so many servers. */
function controller(signal: AbortSignal, replicas: number): RunBus {
  const { url, keys } = must(servers[0]);
  const callout = { issuerSeed: keys.issuerSeed, authenticate: reviewByName, now: Date.now };
  return new RunBus({ url, controllerSeed: keys.controllerSeed, replicas, callout, log: SILENT, signal });
}

/** How many servers keep each stream. */
async function copies(): Promise<number[]> {
  const connection = await admin(must(servers[0]));
  const jsm = await jetstreamManager(connection, { checkAPI: false });
  const numbers: number[] = [];
  for await (const { config } of jsm.streams.list()) numbers.push(config.num_replicas);
  await connection.close();
  return numbers;
}

test('Streams that are there are kept as often as the controller is told, and survive a server', async () => {
  const before = new AbortController();
  const alone = controller(before.signal, 1);
  await eventually(() => alone.ready, 20_000);
  await alone.publishTask(run, task('uid-1', 'kept'));
  expect(await copies()).toEqual(Array(8).fill(1));
  before.abort();

  const stop = new AbortController();
  const bus = controller(stop.signal, 3);
  await eventually(() => bus.ready, 20_000);
  expect(await copies()).toEqual(Array(8).fill(3));
  await eventually(allCaughtUp, 20_000, 100);

  await must(servers[1]).stop();
  const bridge = await bridgeBus(must(servers[2]), run, 'uid-1', stop.signal);
  expect((await bridge.getTask()).task.input).toBe('kept');
  await bridge.publishResult(success('uid-1'), 10_000);
  let heard = '';
  void bus.consumeResults((ref, { uid }) => {
    heard = `${ref.namespace}/${ref.name} ${uid}`;
    return Promise.resolve('done');
  }, stop.signal);
  await eventually(() => heard === 'team/one uid-1', 20_000);
  stop.abort();
}, 60_000);

/** Whether all servers have all of every stream, and of where the controller stands in the results. */
async function allCaughtUp(): Promise<boolean> {
  const connection = await admin(must(servers[0]));
  const jsm = await jetstreamManager(connection, { checkAPI: false });
  const infos: { readonly cluster?: ClusterInfo }[] = await Promise.all(
    [STREAMS.result, STREAMS.approval, STREAMS.audit].map((stream) => jsm.consumers.info(stream, CONSUMER)),
  );
  for await (const info of jsm.streams.list()) infos.push(info);
  await connection.close();
  return infos.every(({ cluster }) => cluster?.replicas?.filter(({ current }) => current).length === 2);
}
