import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { STREAMS } from '../../lib/policy/subjects.ts';
import { World } from '../e2e/support/world.ts';
import { SYSTEM } from '../platform/install.ts';
import type { Cluster } from '../platform/kubectl.ts';
import { eventually } from '../support/eventually.ts';
import { emptyCluster, EMPTY_CLUSTER_MS } from './support/empty-cluster.ts';
import { startMock } from './support/mock.ts';

const CHART = join(import.meta.dirname, '../../charts/sympozium');
const PODS = [0, 1, 2].map((index) => `sympozium-nats-${index}`);

let cluster: Cluster;
let world: World;

beforeAll(async () => {
  cluster = await emptyCluster();
  await startMock(cluster);
  await servers(3);
  world = await World.create('nats');
}, EMPTY_CLUSTER_MS + 180_000);
afterAll(() => world.destroy());

/** Installs or upgrades the chart with so many servers of NATS. */
const servers = (count: number) =>
  cluster.helm([
    ...['upgrade', '--install', 'sympozium', CHART, '--namespace', SYSTEM, '--create-namespace'],
    ...['--wait', '--timeout', '3m', '--set', `nats.replicas=${count}`],
  ]);

/** The streams of runs, and that of dead letters. */
const ALL_STREAMS = Object.keys(STREAMS).length + 1;

/** A stream, as a server of NATS sees it. */
interface Stream {
  readonly name: string;
  readonly config: { readonly num_replicas: number };
  readonly cluster?: { readonly leader?: string; readonly replicas?: readonly { readonly current: boolean }[] };
}

/** The streams that one of the servers has. */
async function streams(pod: string): Promise<readonly Stream[]> {
  const path = `/api/v1/namespaces/${SYSTEM}/pods/${pod}:8222/proxy/jsz?accounts=true&streams=true&config=true`;
  const { account_details: accounts } = JSON.parse(await cluster.kubectl(['get', '--raw', path])) as {
    account_details: { stream_detail?: Stream[] }[];
  };
  return accounts.flatMap(({ stream_detail: detail = [] }) => detail);
}

/** Every stream is on three servers, and all of them are up to date: its leader knows. */
const whole = async (): Promise<boolean> => {
  const led = await Promise.all(
    PODS.map(async (pod) => {
      const all = await streams(pod).catch(() => []); // a server that is just starting doesn't answer
      return all.filter(({ cluster: { leader } = {} }) => leader === pod);
    }),
  );
  const isWhole = ({ config, cluster: { replicas = [] } = {} }: Stream) =>
    config.num_replicas === 3 && replicas.length === 2 && replicas.every(({ current }) => current);
  return led.flat().length === ALL_STREAMS && led.flat().every(isWhole);
};
const untilWhole = () => eventually(whole, 90_000, 500);

test('three servers of NATS are installed with one value, and keep every stream three times', async () => {
  await untilWhole();
  expect((await world.run('first', { input: 'scenario:plain' })).status).toMatchObject({ phase: 'Succeeded' });
});

test.each(PODS)('no run is lost when %s is deleted while they are at work', async (pod) => {
  const runs = ['a', 'b', 'c'].map((name) => `${pod}-${name}`);
  for (const name of runs) await world.start(name, { input: 'scenario:slow' });
  await world.atWork(runs[0] ?? '');
  await cluster.kubectl(['delete', 'pod', pod, '-n', SYSTEM, '--wait=false']);
  const late = `${pod}-late`;
  await world.start(late, { input: 'scenario:plain' }); // its task is published while a server is missing
  for (const name of [...runs, late]) {
    expect([name, (await world.ended(name)).status]).toEqual([
      name,
      expect.objectContaining({ phase: 'Succeeded', usage: expect.objectContaining({ modelCalls: 1 }) as unknown }),
    ]);
  }
  await cluster.kubectl(['rollout', 'status', 'statefulset/sympozium-nats', '-n', SYSTEM, '--timeout=90s']);
  await untilWhole();
});

test('one server is enough again, and three can come back', async () => {
  await servers(1);
  expect((await world.run('alone', { input: 'scenario:plain' })).status).toMatchObject({ phase: 'Succeeded' });
  const replicas = (await streams('sympozium-nats-0')).map(({ config }) => config.num_replicas);
  expect(replicas).toEqual(Array.from({ length: ALL_STREAMS }, () => 1));
  await servers(3);
  await untilWhole();
  expect((await world.run('together', { input: 'scenario:plain' })).status).toMatchObject({ phase: 'Succeeded' });
});
