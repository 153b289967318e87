import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import type { ControlPlaneProps } from '../../../lib/constructs/control-plane.ts';
import { synthesise, type Manifest } from '../../../lib/distribution.ts';
import { KINDS } from '../../../lib/api/v1alpha1/index.ts';
import { VALUES } from '../../../lib/helm/values.ts';
import { idOf } from '../support/manifests.ts';
import { helm, render, settings, template } from '../support/helm.ts';
import { ALL_PROPS, ALL_TURNED, TURNED } from './support.ts';

const namespace = 'sympozium-system';
const synthesised = (props: ControlPlaneProps = {}) =>
  byId(
    synthesise(props)
      .filter(({ name }) => name !== 'namespace')
      .flatMap((part) => part.manifests),
  );

/** The default of a value. */
const values = parse(
  readFileSync(join(import.meta.dirname, '../../../charts/sympozium/values.yaml'), 'utf8'),
) as object;
const standard = (path: string): unknown =>
  path.split('.').reduce<unknown>((node, key) => (node as Record<string, unknown>)[key], values);

/** Objects by what no two of them share. */
const byId = (manifests: readonly Manifest[]): Map<string, Manifest> =>
  new Map(manifests.map((manifest) => [`${manifest.metadata.namespace ?? ''}/${idOf(manifest)}`, manifest]));

/** Without what only Helm reads. */
const withoutHelm = (manifests: readonly Manifest[]): Map<string, Manifest> =>
  byId(
    manifests.map((manifest) => {
      const { annotations = {}, ...metadata } = manifest.metadata as Manifest['metadata'] & { annotations?: object };
      const others = Object.entries(annotations).filter(([name]) => name !== 'helm.sh/resource-policy');
      return {
        ...manifest,
        metadata: others.length === 0 ? metadata : { ...metadata, annotations: Object.fromEntries(others) },
      };
    }),
  );

test.each([
  ['the default values', {}],
  ['every value turned', ALL_TURNED],
])('helm lint finds nothing with %s', (_case, values) => {
  const { ok, stdout } = helm(['lint', '--strict'], ...settings(values));
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

test.each(TURNED)('the value %j does what the prop of the constructs does', (values, props) => {
  expect(withoutHelm(render(namespace, values))).toEqual(synthesised(props));
});

test('no value is left untested, and none is turned to what it is anyway', () => {
  // crds.enabled has no prop: its effect is tested below.
  expect(new Set([...Object.keys(ALL_TURNED), 'crds.enabled'])).toEqual(new Set(VALUES.map(({ path }) => path)));
  for (const [path, value] of Object.entries(ALL_TURNED)) expect([path, value]).not.toEqual([path, standard(path)]);
});

test('all values turned together do what all props together do', () => {
  expect(withoutHelm(render('agents', ALL_TURNED))).toEqual(synthesised({ ...ALL_PROPS, namespace: 'agents' }));
});

test('a switch that is on beside every other gives what the constructs give', () => {
  const off = { ...ALL_TURNED, 'networkPolicies.enabled': true, 'certificates.certManager.issuerRef': {} };
  const props = { ...ALL_PROPS, networkPolicies: true, certificates: { certManager: {} } };
  expect(withoutHelm(render(namespace, off))).toEqual(synthesised(props));
});

test('a namespace of agents, and what closes its network, outlives the chart', () => {
  const made = render(namespace, { agentNamespaces: ['team-a'] }).filter(
    ({ metadata }) => metadata.name === 'team-a' || metadata.namespace === 'team-a',
  );
  expect(made.map(({ metadata }) => metadata)).toEqual(
    Array(3).fill(expect.objectContaining({ annotations: { 'helm.sh/resource-policy': 'keep' } })),
  );
});

describe('the CustomResourceDefinitions', () => {
  const crds = (values: Record<string, unknown>) =>
    render(namespace, values).filter(({ kind }) => kind === 'CustomResourceDefinition');
  const annotations = (manifest: Manifest) => (manifest.metadata as { annotations?: object }).annotations;

  test('outlive the chart', () => {
    expect(crds({}).map(annotations)).toEqual(KINDS.map(() => ({ 'helm.sh/resource-policy': 'keep' })));
  });

  test('go with the chart when told so', () => {
    expect(crds({ 'crds.keep': false }).map(annotations)).toEqual(KINDS.map(() => undefined));
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
  [{ 'nats.replicas': 2 }, /nats.*replicas.*must be one of 1, 3/s],
  [{ agentNamespaces: ['Team A'] }, /agentNamespaces.*does not match pattern/s],
  [{ 'certificates.certManager.issuerRef': { nam: 'x' } }, /issuerRef.*'nam' not allowed/s],
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
