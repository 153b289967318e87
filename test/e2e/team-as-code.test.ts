import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { parseAllDocuments } from 'yaml';
import type { KubeObject } from '../../operator/kube/port.ts';
import { cluster } from './support/world.ts';

/** What examples/02-team-as-code gives; the test of the package holds that it does. */
const yaml = readFileSync(join(import.meta.dirname, '../golden/examples/02-team-as-code.yaml'), 'utf8');
const objects = parseAllDocuments(yaml).map((document) => document.toJS() as KubeObject);
const namespaces = [...new Set(objects.map(({ metadata }) => metadata.namespace ?? ''))];

beforeAll(async () => {
  await cluster.kubectl(['delete', 'namespace', ...namespaces, '--ignore-not-found']);
  for (const name of namespaces) await cluster.kubectl(['create', 'namespace', name]);
});
afterAll(async () => {
  await cluster.kubectl(['delete', 'namespace', ...namespaces]);
});

test('the teams of the example are admitted as they were synthesised', async () => {
  const applied = (await cluster.apply(yaml)).trim().split('\n');
  expect(applied).toHaveLength(objects.length);
  expect(applied.filter((line) => !line.endsWith(' created'))).toEqual([]);
});

test('every one of them says what became of it', async () => {
  for (const { kind, metadata } of objects) {
    const wait = ['wait', kind, metadata.name, '-n', metadata.namespace ?? '', '--for=jsonpath={.status.conditions}'];
    await cluster.kubectl([...wait, '--timeout=20s']);
  }
});
