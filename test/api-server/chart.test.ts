import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Yaml } from 'cdk8s';
import { binDir } from '../cluster/binaries.ts';
import { ALL_TURNED } from '../lib/helm/support.ts';
import { render } from '../lib/support/helm.ts';
import { Cluster } from '../platform/kubectl.ts';
import { ApiServer } from '../support/api-server.ts';

const SYSTEM = 'agents';
let server: ApiServer;
let cluster: Cluster;

/** A kind of others that takes everything. */
const stub = (group: string, kind: string) => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: `${kind.toLowerCase()}s.${group}` },
  spec: {
    group,
    scope: 'Namespaced',
    names: { kind, plural: `${kind.toLowerCase()}s` },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
      },
    ],
  },
});
const stubs = [
  stub('cert-manager.io', 'Certificate'),
  stub('cert-manager.io', 'Issuer'),
  stub('monitoring.coreos.com', 'PodMonitor'),
];

beforeAll(async () => {
  server = await ApiServer.start();
  cluster = new Cluster({ kubeconfig: server.kubeconfig, bin: process.env.CLUSTER_BIN ?? binDir() });
  await cluster.apply(Yaml.stringify(...stubs));
  for (const name of [SYSTEM, ...(ALL_TURNED.agentNamespaces as string[])]) await server.namespace(name);
  const established = stubs.map(({ metadata }) => `crd/${metadata.name}`);
  await cluster.kubectl(['wait', '--for=condition=Established', '--timeout=30s', ...established]);
}, 120_000);
afterAll(() => server.remove());

/** The API server checks every field, and stores nothing. */
const dryRun = (objects: readonly object[]) =>
  cluster.kubectl(
    ['apply', '--server-side', '--dry-run=server', '--validate=strict', '--force-conflicts', '-f', '-'],
    Yaml.stringify(...objects),
  );

test.each<[string, Record<string, unknown>]>([
  ['the default values', {}],
  ['every value turned', ALL_TURNED],
  [
    'what is left out there: network policies, and an authority of our own',
    { ...ALL_TURNED, 'networkPolicies.enabled': true, 'certificates.certManager.issuerRef': {} },
  ],
])(
  'An API server takes every object of the chart with %s',
  async (_case, values) => {
    const objects = render(SYSTEM, values);
    const said = (await dryRun(objects)).trimEnd().split('\n');
    expect(said).toHaveLength(objects.length);
    expect(said.filter((line) => !line.endsWith('serverside-applied (server dry run)'))).toEqual([]);
  },
  60_000,
);

test('It would have said so if it did not', async () => {
  const [config, ...others] = render(SYSTEM).filter(({ kind }) => kind === 'StatefulSet');
  expect(others).toEqual([]);
  await expect(dryRun([{ ...config, spec: { ...(config?.spec as object), replica: 2 } }])).rejects.toThrow('replica');
});
