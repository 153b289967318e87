import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { parseAllDocuments } from 'yaml';
import { KINDS } from '../../lib/api/v1alpha1/index.ts';
import type { KubeClient } from '../../operator/kube/client.ts';
import type { KubeObject } from '../../operator/kube/port.ts';
import { ApiServer } from '../support/api-server.ts';

type Example = KubeObject & { readonly spec: object };

/** What the example gives; the test of the package holds that it does. */
const golden = join(import.meta.dirname, '../golden/examples/02-team-as-code.yaml');
const objects = parseAllDocuments(readFileSync(golden, 'utf8')).map((document) => document.toJS() as Example);

let server: ApiServer;
let kube: KubeClient;

beforeAll(async () => {
  server = await ApiServer.start();
  kube = server.client();
  for (const name of new Set(objects.map(({ metadata }) => metadata.namespace ?? ''))) await server.namespace(name);
}, 90_000);
afterAll(async () => {
  kube.close();
  await server.remove();
});

test.each(objects.map((object) => [`${object.kind} ${object.metadata.name}`, object] as const))(
  'The API server takes every field of 02-team-as-code: %s',
  async (_, object) => {
    const plural = KINDS.find(({ kind }) => kind === object.kind)?.plural ?? '';
    const stored = await kube.create({ apiVersion: object.apiVersion, kind: object.kind, plural }, object);
    expect(stored.spec).toMatchObject(object.spec);
  },
);
