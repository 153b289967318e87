import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from '@jest/globals';
import type { Cluster } from '../platform/kubectl.ts';
import { eventually } from '../support/eventually.ts';
import { SYSTEM } from '../platform/install.ts';
import { emptyCluster, EMPTY_CLUSTER_MS } from './support/empty-cluster.ts';

const DIST = join(import.meta.dirname, '../../dist/sympozium.yaml');
let cluster: Cluster;

beforeAll(async () => {
  cluster = await emptyCluster();
}, EMPTY_CLUSTER_MS);

test('one kubectl apply on an empty cluster ends with everything Ready', async () => {
  const applied = await cluster.kubectl(['apply', '--server-side', '-f', DIST]);
  const objects = readFileSync(DIST, 'utf8').match(/^kind: /gm) ?? [];
  expect(applied.trimEnd().split('\n')).toHaveLength(objects.length);
  for (const workload of [
    'statefulset/sympozium-nats',
    'deployment/sympozium-controller',
    'deployment/sympozium-webhook',
    'deployment/sympozium-gateway',
  ]) {
    await cluster.kubectl(['rollout', 'status', workload, '-n', SYSTEM, '--timeout=120s']);
  }
  // The controller makes them once it leads.
  const policies = () => cluster.kubectl(['get', 'sympoziumpolicies', '-n', SYSTEM, '-o', 'name']);
  await eventually(async () => (await policies()).trimEnd().split('\n').length === 3, 30_000, 200);
});

test('a second apply changes nothing', async () => {
  const generations = () =>
    cluster.kubectl([
      'get',
      'deployments,statefulsets,networkpolicies',
      '-n',
      SYSTEM,
      '-o',
      'jsonpath={range .items[*]}{.kind}/{.metadata.name}={.metadata.generation}{"\\n"}{end}',
    ]);
  const before = await generations();
  await cluster.kubectl(['apply', '--server-side', '-f', DIST]);
  expect(await generations()).toBe(before);
});
