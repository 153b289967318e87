import { describe, expect, test } from '@jest/globals';
import type { k8s } from 'cdk8s-plus-28';
import { synthesise } from '../../lib/distribution.ts';
import { idOf, workloads } from './support/manifests.ts';

const manifests = synthesise().flatMap((part) => part.manifests);
const CLUSTER_SCOPED = new Set([
  'ClusterRole',
  'ClusterRoleBinding',
  'CustomResourceDefinition',
  'MutatingWebhookConfiguration',
  'Namespace',
  'ValidatingWebhookConfiguration',
]);
const of = <T>(kind: string, among = manifests) => among.filter((manifest) => manifest.kind === kind) as unknown as T[];
/** Everything that changes Pods or rights. */
const options = {
  nats: { replicas: 3 },
  certificates: { certManager: {} },
  monitoring: { podMonitors: true },
} as const;
const chosen = synthesise(options).flatMap((part) => part.manifests);
const selects = (selector: Record<string, string>, labels: Record<string, string>) =>
  Object.entries(selector).every(([key, value]) => labels[key] === value);

describe.each(
  [manifests, chosen].flatMap((all) =>
    workloads(all).map(
      (workload) => [idOf(workload), all === chosen ? 'with options' : 'by default', workload, all] as const,
    ),
  ),
)('%s %s', (_id, _title, workload, manifests) => {
  const { selector, template } = workload.spec;
  const pod = template.spec;

  test('satisfies Pod Security restricted', () => {
    expect(pod.securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
    expect(pod.volumes?.filter((volume) => 'hostPath' in volume) ?? []).toEqual([]);
    for (const field of ['hostNetwork', 'hostPID', 'hostIPC']) expect(pod).not.toHaveProperty(field);
    for (const { securityContext } of pod.containers) {
      expect(securityContext).toEqual({
        allowPrivilegeEscalation: false,
        capabilities: { drop: ['ALL'] },
        readOnlyRootFilesystem: true,
      });
    }
  });

  test('asks for resources and bounds its memory', () => {
    for (const { resources } of pod.containers) {
      expect(resources).toMatchObject({
        requests: { cpu: expect.any(String), memory: expect.any(String) },
        limits: { memory: expect.any(String) },
      });
    }
  });

  test('runs a pinned image and is probed', () => {
    for (const container of pod.containers) {
      expect(container.image).toMatch(/^[a-z0-9.]+\/[a-z0-9/-]+:v?\d+\.\d+\.\d+/);
      expect(container).toMatchObject({ startupProbe: {}, readinessProbe: {}, livenessProbe: {} });
    }
  });

  test('selects its own Pods and no others', () => {
    const chosen = workloads(manifests).filter(({ spec }) =>
      selects(selector.matchLabels, spec.template.metadata.labels),
    );
    expect(chosen).toEqual([workload]);
  });

  test('has a ServiceAccount of its own, and a token only if that has rights', () => {
    const name = pod.serviceAccountName ?? '';
    expect(manifests.map(idOf)).toContain(`ServiceAccount/${name}`);
    const bound = of<{ subjects: k8s.Subject[] }>('ClusterRoleBinding', manifests).some(
      ({ subjects }) => subjects[0]?.name === name,
    );
    expect(pod.automountServiceAccountToken).toBe(bound);
  });

  test('is closed in by a NetworkPolicy of both directions', () => {
    const policies = of<{ spec: { podSelector: k8s.LabelSelector; policyTypes: string[] } }>(
      'NetworkPolicy',
      manifests,
    );
    const governing = policies.filter(({ spec }) =>
      selects(spec.podSelector.matchLabels ?? {}, template.metadata.labels),
    );
    expect(governing.map(({ spec }) => spec.policyTypes)).toEqual([['Ingress', 'Egress']]);
  });
});

test('only namespaced objects carry a namespace', () => {
  for (const manifest of manifests) {
    expect([idOf(manifest), manifest.metadata.namespace]).toEqual([
      idOf(manifest),
      CLUSTER_SCOPED.has(manifest.kind) ? undefined : 'sympozium-system',
    ]);
  }
});

test('no object is defined twice', () => {
  const ids = manifests.map(idOf);
  expect(new Set(ids).size).toBe(ids.length);
});

describe.each(
  [...manifests, ...chosen].filter(({ kind }) => kind.endsWith('Role')).map((role) => [idOf(role), role] as const),
)('%s', (_id, role) => {
  const rules = (role.rules ?? []) as k8s.PolicyRule[];
  const forSkills = role.metadata.name.startsWith('sympozium-skill-grants');

  test('has no wildcard and can raise nobody', () => {
    for (const { apiGroups = [], resources = [], verbs, resourceNames = [] } of rules) {
      expect([...apiGroups, ...resources, ...verbs, ...resourceNames].join(' ')).not.toMatch(/\*/);
      expect(verbs).not.toEqual(expect.arrayContaining([expect.stringMatching(/^(escalate|bind|impersonate)$/)]));
      // Who makes roles without `escalate` and `bind` can give only what they have; who changes them could change others'.
      if (apiGroups.includes('rbac.authorization.k8s.io')) expect(verbs).not.toEqual(expect.arrayContaining([expect.stringMatching(/^(update|patch)$/)])); // prettier-ignore
      expect(resources).not.toContain('serviceaccounts/token');
      if (!forSkills) expect(resources).not.toContain('pods/exec');
    }
  });

  if (forSkills) {
    test('gives skills no Secrets and no roles', () => {
      for (const { apiGroups = [], resources = [] } of rules) {
        expect(resources.filter((name) => /secrets|token/.test(name))).toEqual([]);
        expect(apiGroups).not.toContain('rbac.authorization.k8s.io');
      }
    });
  }

  test('nobody may list the Secrets of others', () => {
    const listing = rules.filter(({ resources, verbs }) => resources?.includes('secrets') && verbs.includes('list'));
    for (const { resourceNames } of listing) expect(resourceNames).toHaveLength(1);
  });
});

test('the webhook is asked about all of our kinds, about no others, and not about their status', () => {
  const kinds = of<{ spec: { names: { plural: string } } }>('CustomResourceDefinition').map(
    ({ spec }) => spec.names.plural,
  );
  for (const kind of ['MutatingWebhookConfiguration', 'ValidatingWebhookConfiguration']) {
    const [configuration] = of<{ webhooks: k8s.ValidatingWebhook[] }>(kind);
    for (const { rules = [], failurePolicy } of configuration?.webhooks ?? []) {
      expect(rules.map(({ apiGroups, resources }) => ({ apiGroups, resources }))).toEqual([
        { apiGroups: ['sympozium.ai'], resources: kinds },
        // Who decides is stamped, too.
        ...(kind === 'MutatingWebhookConfiguration'
          ? [{ apiGroups: ['sympozium.ai'], resources: ['toolapprovals'] }]
          : []),
      ]);
      expect(failurePolicy).toBe('Fail');
    }
  }
});

test('ports that Services name are ports that containers open', () => {
  const open = new Set(
    workloads(manifests).flatMap(({ spec }) =>
      spec.template.spec.containers.flatMap(({ name, ports = [] }) =>
        ports.map((port) => `${name}/${port.name ?? ''}`),
      ),
    ),
  );
  for (const { spec } of of<{ spec: k8s.ServiceSpec }>('Service')) {
    for (const { targetPort } of spec.ports ?? []) {
      expect(open).toContain(
        `${spec.selector?.['app.kubernetes.io/component'] ?? ''}/${targetPort as unknown as string}`,
      );
    }
  }
});
