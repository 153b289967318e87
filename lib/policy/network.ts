import { GROUP, LABELS } from '../api/group.ts';
import type { ObjectMeta } from '../api/metadata.ts';

/** Selects Pods, or addresses, that a run may talk to. */
export interface NetworkPeer {
  readonly podSelector?: LabelSelector;
  readonly namespaceSelector?: LabelSelector;
  readonly ipBlock?: { readonly cidr: string };
}

/** Pods by their labels. */
export interface LabelSelector {
  readonly matchLabels?: Readonly<Record<string, string>>;
}

/** What Pods may connect to. */
export interface EgressRule {
  /** Left out: anywhere. */
  readonly to?: readonly NetworkPeer[];
  readonly ports: readonly { readonly protocol: 'TCP' | 'UDP'; readonly port: number | string }[];
}

/** What we write of a NetworkPolicy. */
export interface NetworkPolicy {
  readonly apiVersion: 'networking.k8s.io/v1';
  readonly kind: 'NetworkPolicy';
  readonly metadata: ObjectMeta;
  readonly spec: {
    readonly podSelector: LabelSelector;
    readonly policyTypes: readonly ('Ingress' | 'Egress')[];
    /** From anywhere. */
    readonly ingress?: readonly Pick<EgressRule, 'ports'>[];
    readonly egress?: readonly EgressRule[];
  };
}

/** Where the things are that runs must reach. */
export interface NetworkOptions {
  /** Namespace of NATS and the gateway. */
  readonly systemNamespace: string;
  /** Namespace of the cluster's DNS Pods, labelled `k8s-app: kube-dns`. Left out: any namespace. */
  readonly dnsNamespace?: string;
  /** Addresses of a DNS that doesn't run in Pods, such as `10.0.0.2/32`. */
  readonly dnsAddresses?: readonly string[];
}

/**
 * Label that tells our NetworkPolicies from others'. Not the one of app.kubernetes.io: Helm puts itself there, and would
 * fight over it with the controller.
 */
export const MANAGED_BY = { [`${GROUP}/managed-by`]: 'sympozium' } as const;

/** Names of the two policies that every namespace with an instance has. */
export const NETWORK_POLICY_NAMES = { deny: 'sympozium-run-deny-all', allow: 'sympozium-run-allow' } as const;

const NAMESPACE_NAME = 'kubernetes.io/metadata.name';

/** The Pods of one part of the system. */
export const component = (name: 'run' | 'endpoint' | 'controller' | 'webhook' | 'gateway' | 'nats'): LabelSelector => ({
  matchLabels: { [LABELS.component]: name },
});

/** The NetworkPolicies of a namespace that has an instance: run Pods reach DNS, the bus and the gateway, and nothing else. */
export function runNetworkPolicies(namespace: string, options: NetworkOptions): readonly NetworkPolicy[] {
  const { deny, allow } = NETWORK_POLICY_NAMES;
  return [
    policy(namespace, deny, { podSelector: component('run'), policyTypes: ['Ingress', 'Egress'] }),
    policy(namespace, allow, {
      podSelector: component('run'),
      policyTypes: ['Egress'],
      egress: [dns(options), system(options, 'nats', 4222), system(options, 'gateway', 8080)],
    }),
  ];
}

const policy = (namespace: string, name: string, spec: NetworkPolicy['spec']): NetworkPolicy => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata: { name, namespace, labels: MANAGED_BY },
  spec,
});

/** The namespace of that name. */
export const inNamespace = (name: string): LabelSelector => ({ matchLabels: { [NAMESPACE_NAME]: name } });

/** Opens the way to the cluster's DNS. */
export const dns = ({
  dnsNamespace,
  dnsAddresses = [],
}: Omit<NetworkOptions, 'systemNamespace'>): Required<EgressRule> => ({
  to: [
    {
      namespaceSelector: dnsNamespace === undefined ? {} : inNamespace(dnsNamespace),
      podSelector: { matchLabels: { 'k8s-app': 'kube-dns' } },
    },
    ...dnsAddresses.map((cidr) => ({ ipBlock: { cidr } })),
  ],
  ports: [
    { protocol: 'UDP', port: 53 },
    { protocol: 'TCP', port: 53 },
  ],
});

const system = ({ systemNamespace }: NetworkOptions, name: 'nats' | 'gateway', port: number): EgressRule => ({
  to: [{ namespaceSelector: inNamespace(systemNamespace), podSelector: component(name) }],
  ports: [{ protocol: 'TCP', port }],
});
