import { describe, expect, test } from '@jest/globals';
import { synthesise, type Manifest } from '../../../lib/distribution.ts';
import { VALUES } from '../../../lib/helm/values.ts';
import { byId } from '../support/manifests.ts';
import { helm, render, template } from '../support/helm.ts';

const namespace = 'sympozium-system';
const synthesised = (props: Parameters<typeof synthesise>[0] = {}) =>
  byId(
    synthesise(props)
      .flatMap((part) => part.manifests)
      .filter(({ kind }) => kind !== 'Namespace'),
  );

/** Without what only Helm reads. */
const withoutHelm = (manifests: readonly Manifest[]): Map<string, Manifest> =>
  byId(
    manifests.map((manifest) => {
      const { annotations, ...metadata } = manifest.metadata as Manifest['metadata'] & { annotations?: unknown };
      return { ...manifest, metadata: annotations === undefined ? manifest.metadata : metadata };
    }),
  );

test('helm lint finds nothing', () => {
  const { ok, stdout } = helm(['lint', '--strict']);
  expect([ok, stdout]).toEqual([true, expect.stringContaining('0 chart(s) failed')]);
});

test('with default values the chart is dist/sympozium.yaml, but for the namespace', () => {
  expect(withoutHelm(render(namespace))).toEqual(synthesised());
});

test('in another namespace it is what the constructs give for that namespace', () => {
  expect(withoutHelm(render('agents'))).toEqual(synthesised({ namespace: 'agents' }));
});

test('a namespace of digits stays text', () => {
  expect(withoutHelm(render('123'))).toEqual(synthesised({ namespace: '123' }));
});

const resources = { requests: { cpu: '1', memory: '1Gi' }, limits: { memory: '2Gi' } };

/** Every value turned once, with the props that must give the same. */
const TURNED: readonly (readonly [Record<string, unknown>, Parameters<typeof synthesise>[0]])[] = [
  [{ 'image.repository': 'r.example/x' }, { image: 'r.example/x:0.1.0' }],
  [{ 'image.tag': 'dev' }, { image: 'ghcr.io/sympozium-ai/sympozium:dev' }],
  [{ 'image.pullPolicy': 'Always' }, { imagePullPolicy: 'Always' }],
  [{ imagePullSecrets: [{ name: 'registry' }] }, { scheduling: { imagePullSecrets: ['registry'] } }],
  [{ logLevel: 'debug' }, { logLevel: 'debug' }],
  [{ 'controller.replicas': 1 }, { controller: { replicas: 1 } }],
  [{ 'controller.resources': resources }, { controller: { resources } }],
  [{ 'webhook.replicas': 3 }, { webhook: { replicas: 3 } }],
  [{ 'webhook.resources': resources }, { webhook: { resources } }],
  [{ 'gateway.replicas': 7 }, { gateway: { replicas: 7 } }],
  [{ 'gateway.resources': resources }, { gateway: { resources } }],
  [{ 'nats.image': 'r.example/nats:2' }, { nats: { image: 'r.example/nats:2' } }],
  [{ 'nats.resources': resources }, { nats: { resources } }],
  [{ 'nats.storage.size': '20Gi' }, { nats: { storageSize: '20Gi' } }],
  [{ 'nats.storage.className': 'fast' }, { nats: { storageClassName: 'fast' } }],
  [{ 'retention.age': '1h30m' }, { retention: { age: '1h30m' } }],
  [{ 'retention.runsPerInstance': 100_000 }, { retention: { runsPerInstance: 100_000 } }],
  [{ 'dns.namespace': 'openshift-dns' }, { dns: { namespace: 'openshift-dns' } }],
  [
    { 'dns.addresses': ['169.254.20.10/32', 'fd00::10/128'] },
    { dns: { addresses: ['169.254.20.10/32', 'fd00::10/128'] } },
  ],
  [{ 'dns.clusterDomain': 'corp.internal' }, { dns: { clusterDomain: 'corp.internal' } }],
  [{ 'networkPolicies.enabled': false }, { networkPolicies: false }],
  [{ 'crds.keep': false }, {}],
  [{ nodeSelector: { pool: 'system' } }, { scheduling: { nodeSelector: { pool: 'system' } } }],
  [
    { tolerations: [{ key: 'a', operator: 'Exists' }] },
    { scheduling: { tolerations: [{ key: 'a', operator: 'Exists' }] } },
  ],
  [{ priorityClassName: 'platform' }, { scheduling: { priorityClassName: 'platform' } }],
];

test.each(TURNED)('the value %j does what the prop of the constructs does', (values, props) => {
  expect(withoutHelm(render(namespace, values))).toEqual(synthesised(props));
});

test('no value is left untested', () => {
  const turned = TURNED.flatMap(([values]) => Object.keys(values));
  // crds.enabled has no prop: its effect is tested below.
  expect(new Set([...turned, 'crds.enabled'])).toEqual(new Set(VALUES.map(({ path }) => path)));
});

describe('the CustomResourceDefinitions', () => {
  const crds = (values: Record<string, unknown>) =>
    render(namespace, values).filter(({ kind }) => kind === 'CustomResourceDefinition');
  const annotations = (manifest: Manifest) => (manifest.metadata as { annotations?: object }).annotations;

  test('outlive the chart', () => {
    expect(crds({}).map(annotations)).toEqual(Array(3).fill({ 'helm.sh/resource-policy': 'keep' }));
  });

  test('go with the chart when told so', () => {
    expect(crds({ 'crds.keep': false }).map(annotations)).toEqual(Array(3).fill(undefined));
  });

  test('can be left out, and only they', () => {
    const all = [...synthesised().values()].filter(({ kind }) => kind !== 'CustomResourceDefinition');
    expect(withoutHelm(render(namespace, { 'crds.enabled': false }))).toEqual(byId(all));
  });
});

test.each([
  [{ 'controller.replicas': 0 }, /controller.*replicas.*minimum.*1/s],
  [{ 'gateway.replicas': 'two' }, /gateway.*replicas.*got string, want integer/s],
  [{ 'image.pullPolicy': 'Sometimes' }, /image.*pullPolicy.*'Always', 'IfNotPresent', 'Never'/s],
  [{ 'retention.age': '7 days' }, /retention.*age.*does not match pattern/s],
  [{ 'nats.storage.size': 'big' }, /nats.*storage.*size.*does not match pattern/s],
  [{ 'gateway.replica': 3 }, /gateway.*'replica' not allowed/s],
  [{ gatway: {} }, /'gatway' not allowed/],
])('the schema refuses %j', (values, message) => {
  const { ok, stderr } = template(namespace, values);
  expect([ok, stderr]).toEqual([false, expect.stringMatching(message)]);
});

test('an older Kubernetes is refused', () => {
  const { ok, stderr } = helm(['template', 'sympozium'], '--kube-version', '1.29.0');
  expect([ok, stderr]).toEqual([false, expect.stringContaining('>=1.30.0-0')]);
});
