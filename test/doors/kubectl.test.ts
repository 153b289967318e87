import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from '@jest/globals';
import { SYSTEM } from '../platform/install.ts';
import type { Cluster } from '../platform/kubectl.ts';
import { emptyCluster, EMPTY_CLUSTER_MS } from './support/empty-cluster.ts';
import { untilReady } from './support/ready.ts';

const DIST = join(import.meta.dirname, '../../dist/sympozium.yaml');
let cluster: Cluster;

beforeAll(async () => {
  cluster = await emptyCluster();
}, EMPTY_CLUSTER_MS);

test('one kubectl apply on an empty cluster ends with everything Ready', async () => {
  const applied = await cluster.kubectl(['apply', '--server-side', '-f', DIST]);
  const objects = readFileSync(DIST, 'utf8').match(/^kind: /gm) ?? [];
  expect(applied.trimEnd().split('\n')).toHaveLength(objects.length);
  await untilReady(cluster);
});

test('a second apply changes nothing', async () => {
  const kinds = 'deployments,statefulsets,networkpolicies';
  const format = 'jsonpath={range .items[*]}{.kind}/{.metadata.name}={.metadata.generation}{"\\n"}{end}';
  const generations = () => cluster.kubectl(['get', kinds, '-n', SYSTEM, '-o', format]);
  const before = await generations();
  await cluster.kubectl(['apply', '--server-side', '-f', DIST]);
  expect(await generations()).toBe(before);
});
