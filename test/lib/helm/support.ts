import type { ControlPlaneProps } from '../../../lib/constructs/control-plane.ts';

const resources = { requests: { cpu: '1', memory: '1Gi' }, limits: { memory: '2Gi' } };

/** Every value turned once, with the props that must give the same. */
export const TURNED: readonly (readonly [Record<string, unknown>, ControlPlaneProps])[] = [
  [{ 'image.repository': 'r.example/x' }, { image: 'r.example/x:0.1.0' }],
  [{ 'image.tag': 'dev' }, { image: 'ghcr.io/sympozium-ai/sympozium:dev' }],
  [{ 'image.pullPolicy': 'Always' }, { imagePullPolicy: 'Always' }],
  [{ 'skillImages.kubectl': 'r.example/kubectl:1' }, { skillImages: { kubectl: 'r.example/kubectl:1' } }],
  [{ 'skillImages.git': 'r.example/git:1' }, { skillImages: { git: 'r.example/git:1' } }],
  [{ imagePullSecrets: [{ name: 'registry' }] }, { scheduling: { imagePullSecrets: ['registry'] } }],
  [{ logLevel: 'debug' }, { logLevel: 'debug' }],
  [{ 'controller.replicas': 1 }, { controller: { replicas: 1 } }],
  [{ 'controller.resources': resources }, { controller: { resources } }],
  [{ 'webhook.replicas': 3 }, { webhook: { replicas: 3 } }],
  [{ 'webhook.resources': resources }, { webhook: { resources } }],
  [{ 'gateway.replicas': 7 }, { gateway: { replicas: 7 } }],
  [{ 'gateway.resources': resources }, { gateway: { resources } }],
  [
    { 'gateway.clusterNetworks': ['203.0.113.0/24', '2001:db8::/32'] },
    { gateway: { clusterNetworks: ['203.0.113.0/24', '2001:db8::/32'] } },
  ],
  [{ 'nats.image': 'r.example/nats:2' }, { nats: { image: 'r.example/nats:2' } }],
  [{ 'nats.replicas': 3 }, { nats: { replicas: 3 } }],
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
  [{ 'certificates.certManager.enabled': true }, { certificates: { certManager: {} } }],
  [
    { 'certificates.certManager.enabled': true, 'certificates.certManager.issuerRef': { name: 'ours' } },
    { certificates: { certManager: { issuerRef: { name: 'ours' } } } },
  ],
  [
    {
      'certificates.certManager.enabled': true,
      'certificates.certManager.issuerRef': { name: 'ours', kind: 'ClusterIssuer', group: 'issuers.example' },
    },
    {
      certificates: { certManager: { issuerRef: { name: 'ours', kind: 'ClusterIssuer', group: 'issuers.example' } } },
    },
  ],
  [{ 'monitoring.podMonitors': true }, { monitoring: { podMonitors: true } }],
  [
    { 'monitoring.podMonitors': true, 'monitoring.namespace': 'metrics', 'monitoring.labels': { release: 'a' } },
    { monitoring: { podMonitors: true, namespace: 'metrics', labels: { release: 'a' } } },
  ],
  [{ agentNamespaces: ['team-a', '42'] }, { agentNamespaces: ['team-a', '42'] }],
  [{ 'networkPolicies.enabled': false }, { networkPolicies: false }],
  [{ 'crds.keep': false }, {}],
  [{ nodeSelector: { pool: 'system' } }, { scheduling: { nodeSelector: { pool: 'system' } } }],
  [
    { tolerations: [{ key: 'a', operator: 'Exists' }] },
    { scheduling: { tolerations: [{ key: 'a', operator: 'Exists' }] } },
  ],
  [{ priorityClassName: 'platform' }, { scheduling: { priorityClassName: 'platform' } }],
];

/**
 * Every value turned at once, with the props that must give the same; `crds.enabled` aside, since nothing would be left of
 * what `crds.keep` does.
 */
export const ALL_TURNED: Readonly<Record<string, unknown>> = Object.assign(
  {},
  ...TURNED.map(([values]) => values),
) as Record<string, unknown>;

/** The props of {@link ALL_TURNED}. */
export const ALL_PROPS: ControlPlaneProps = {
  ...TURNED.map(([, props]) => props).reduce(merge, {}),
  image: 'r.example/x:dev',
};

/** Where both have a map, its fields are merged; else the later one counts. */
function merge<T extends object>(a: T, b: T): T {
  const both = Object.entries(b).map(([key, value]: [string, unknown]) => {
    const before = (a as Record<string, unknown>)[key];
    return [key, isMap(before) && isMap(value) ? merge(before, value) : value];
  });
  return { ...a, ...Object.fromEntries(both) } as T;
}

function isMap(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
