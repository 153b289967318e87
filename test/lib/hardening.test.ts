import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import type { k8s } from 'cdk8s-plus-28';
import type { Manifest } from '../../lib/distribution.ts';
import { ALL_TURNED } from './helm/support.ts';
import { render } from './support/helm.ts';
import { idOf, parseManifests, workloads } from './support/manifests.ts';

/** What is published, read from the files as a user gets them. */
const root = join(import.meta.dirname, '../..');
const filesIn = (folder: string, name: RegExp): string[] =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => name.test(path) && !path.includes('node_modules'))
    .map((path) => join(folder, path));
const read = (path: string): Manifest[] => parseManifests(readFileSync(join(root, path), 'utf8'));

/** The control plane, as each way to install it brings it. */
const CONTROL_PLANES: Readonly<Record<string, readonly Manifest[]>> = {
  'dist/sympozium.yaml': read('dist/sympozium.yaml'),
  'the files of dist/': filesIn('dist', /^\d.*\.yaml$/).flatMap(read),
  'the chart': render('sympozium-system'),
  'the chart with every value turned': render('sympozium-system', { ...ALL_TURNED, 'networkPolicies.enabled': true }),
};

/** Whatever is the name of an image: fields of that name, and the variable that runs are made from. */
function imagesIn(node: unknown): string[] {
  if (Array.isArray(node)) return node.flatMap(imagesIn);
  if (typeof node !== 'object' || node === null) return [];
  const { name, value } = node as Record<string, unknown>;
  const variable = name === 'RUNTIME_IMAGE' && typeof value === 'string' ? [value] : [];
  const fields = Object.entries(node).flatMap(([key, field]: [string, unknown]) =>
    key === 'image' && typeof field === 'string' ? [field] : imagesIn(field),
  );
  return [...variable, ...fields];
}

/** What skills may be given at most: the controller holds it only to give it on. */
const GRANTS = ['ClusterRole/sympozium-skill-grants', 'ClusterRole/sympozium-skill-grants-builtin'];

/** Whether an image has a tag of its own, or a digest. */
const isPinned = (image: string): boolean =>
  /@sha256:[0-9a-f]{64}$/.test(image) || /^[^@]+:(?!latest$)[\w][\w.-]*$/.test(image);

describe('An image', () => {
  test.each([
    ['nats', false],
    ['nats:latest', false],
    ['localhost:5000/nats', false],
    ['docker.io/library/nats:2.15.2-alpine', true],
    ['localhost:5000/nats:1', true],
    [`nats@sha256:${'0'.repeat(64)}`, true],
  ])('%s is pinned: %s', (image, pinned) => {
    expect(isPinned(image)).toBe(pinned);
  });

  test.each([
    ...Object.entries(CONTROL_PLANES),
    ['the examples', filesIn('examples', /\.yaml$/).flatMap(read)],
    ['the examples in TypeScript', filesIn('test/golden/examples', /\.yaml$/).flatMap(read)],
  ])('is pinned wherever %s names one', (_name, manifests) => {
    const images = imagesIn(manifests);
    expect(images.length).toBeGreaterThan(0);
    expect(images.filter((image) => !isPinned(image))).toEqual([]);
  });

  test.each([...filesIn('operator/image', /Containerfile$/), ...filesIn('examples', /Containerfile$/)])(
    'is pinned where %s builds on one',
    (path) => {
      const bases = [...readFileSync(join(root, path), 'utf8').matchAll(/^(?:FROM|ARG BASE=)\s*(\S+)/gm)].map(
        ([, base = '']) => base,
      );
      expect(bases.length).toBeGreaterThan(0);
      expect(bases.filter((base) => base !== '${BASE}' && !isPinned(base))).toEqual([]);
    },
  );
});

describe.each(Object.entries(CONTROL_PLANES))('%s', (_name, manifests) => {
  const all = workloads(manifests);

  test('has the four workloads and a role for each that talks to the API server', () => {
    expect(all).toHaveLength(4);
    expect(roles.length).toBeGreaterThanOrEqual(5);
  });

  const roles = manifests.filter(({ kind }) => kind.endsWith('Role'));
  test('gives no right by wildcard, and none to raise oneself or to be another', () => {
    for (const role of roles) {
      for (const rule of (role.rules ?? []) as k8s.PolicyRule[]) {
        const { apiGroups = [], resources = [], verbs, resourceNames = [] } = rule;
        const words = [apiGroups, resources, verbs, resourceNames].flat().join(' ');
        const forbidden = /\*|\b(escalate|bind|impersonate)\b/;
        expect([idOf(role), words]).toEqual([idOf(role), expect.not.stringMatching(forbidden)]);
        expect(rule).not.toHaveProperty('nonResourceURLs');
        // The controller makes the roles of runs, bounded by what it holds itself; it changes none.
        if (apiGroups.includes('rbac.authorization.k8s.io')) {
          expect(idOf(role)).toBe('ClusterRole/sympozium-controller');
          expect(verbs).not.toEqual(expect.arrayContaining([expect.stringMatching(/update|patch/)]));
        }
        const within = GRANTS.includes(idOf(role)) ? /^serviceaccounts\/token/ : /^(serviceaccounts\/token|pods\/)/;
        expect(resources).not.toEqual(expect.arrayContaining([expect.stringMatching(within)]));
      }
    }
  });

  test('is bound to its own roles only, and they take in no others', () => {
    const ours = new Set(roles.map(({ metadata: { name } }) => name));
    const bindings = manifests.filter(({ kind }) => kind.endsWith('RoleBinding'));
    for (const { roleRef } of bindings as unknown as { roleRef: { name: string } }[])
      expect(ours).toContain(roleRef.name);
    expect(roles.filter((role) => 'aggregationRule' in role).map(idOf)).toEqual([GRANTS[0]]);
  });

  test.each(all.map((workload) => [idOf(workload), workload] as const))(
    'closes the network of %s in both directions',
    (_id, { spec, metadata: { namespace } }) => {
      const { labels } = spec.template.metadata;
      const policies = manifests.filter(
        ({ kind, metadata }) => kind === 'NetworkPolicy' && metadata.namespace === namespace,
      ) as unknown as { readonly spec: k8s.NetworkPolicySpec }[];
      const types = policies
        .filter(({ spec: { podSelector } }) => selects(podSelector, labels))
        .flatMap(({ spec: { policyTypes = [] } }) => policyTypes);
      expect(new Set(types)).toEqual(new Set(['Ingress', 'Egress']));
    },
  );

  test('leaves the other side open only where its address can be anything', () => {
    const open = manifests
      .filter(({ kind }) => kind === 'NetworkPolicy')
      .flatMap(({ metadata: { name }, spec }) => {
        const { ingress = [], egress = [] } = spec as k8s.NetworkPolicySpec;
        return [
          ...ingress.filter(({ from }) => from === undefined).map(({ ports }) => `to ${name}: ${portsOf(ports)}`),
          ...egress.filter(({ to }) => to === undefined).map(({ ports }) => `from ${name}: ${portsOf(ports)}`),
        ];
      });
    expect(open.sort()).toEqual([
      'from sympozium-controller: 443, 6443', // the API server
      'from sympozium-gateway: any', // model providers
      'from sympozium-webhook: 443, 6443',
      'to sympozium-webhook: 9443', // the API server calls
    ]);
  });
});

const portsOf = (ports: readonly k8s.NetworkPolicyPort[] = []): string =>
  ports.length === 0 ? 'any' : ports.map(({ port }) => String(port as unknown as number)).join(', ');

/** Whether a selector picks these labels; an empty one picks all. */
function selects(
  { matchLabels = {}, matchExpressions = [] }: k8s.LabelSelector,
  labels: Record<string, string>,
): boolean {
  return (
    Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
    matchExpressions.every(({ key, operator, values = [] }) => {
      const value = labels[key];
      if (operator === 'In') return value !== undefined && values.includes(value);
      if (operator === 'NotIn') return value === undefined || !values.includes(value);
      return (operator === 'Exists') === (value !== undefined);
    })
  );
}
