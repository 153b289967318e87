import { LABELS } from '../api/group.ts';
import { component, dns, inNamespace, MANAGED_BY, type NetworkOptions, type NetworkPolicy } from './network.ts';

/** Port that the Pods of a web endpoint listen on. */
export const ENDPOINT_PORT = 8080;

/** What tells the NetworkPolicy of one web endpoint. */
export interface EndpointNetworkOptions extends NetworkOptions {
  readonly metadata: Pick<NetworkPolicy['metadata'], 'name' | 'namespace' | 'ownerReferences' | 'labels'>;
  readonly instance: string;
}

/**
 * The NetworkPolicy of the web endpoint of one instance: anyone in the cluster may call it, ingress controllers too; it
 * reaches names, the bus and the API server, and nothing else.
 */
export function endpointNetworkPolicy({ metadata, instance, ...options }: EndpointNetworkOptions): NetworkPolicy {
  const pods = component('endpoint').matchLabels;
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { ...metadata, labels: { ...metadata.labels, ...MANAGED_BY } },
    spec: {
      podSelector: { matchLabels: { ...pods, [LABELS.instance]: instance } },
      policyTypes: ['Ingress', 'Egress'],
      ingress: [{ ports: tcp(ENDPOINT_PORT) }],
      egress: [
        dns(options),
        {
          to: [{ namespaceSelector: inNamespace(options.systemNamespace), podSelector: component('nats') }],
          ports: tcp(4222),
        },
        // By port alone: a managed API server lives outside of the cluster, at an address that changes.
        { ports: tcp(443, 6443) },
      ],
    },
  };
}

const tcp = (...ports: number[]) => ports.map((port) => ({ protocol: 'TCP' as const, port }));
