import type { KubeApi, KubeObject, Resource } from '../kube/port.ts';
import { normalAddress } from './fetch/address.ts';
import { ExpiringCache } from './cache.ts';
import { ask } from './cluster.ts';

interface AddressedPod extends KubeObject {
  readonly status?: { readonly podIPs?: readonly { readonly ip: string }[] };
}
interface AddressedService extends KubeObject {
  readonly spec?: { readonly clusterIPs?: readonly string[]; readonly externalIPs?: readonly string[] };
  readonly status?: { readonly loadBalancer?: { readonly ingress?: readonly { readonly ip?: string }[] } };
}
interface EndpointSlice extends KubeObject {
  readonly endpoints?: readonly { readonly addresses?: readonly string[] }[];
}

const PODS: Resource<AddressedPod> = { apiVersion: 'v1', kind: 'Pod', plural: 'pods' };
const SERVICES: Resource<AddressedService> = { apiVersion: 'v1', kind: 'Service', plural: 'services' };
const ENDPOINT_SLICES: Resource<EndpointSlice> = {
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  plural: 'endpointslices',
};

/** How long the addresses are believed: Pods of the control plane are rarely replaced. */
const TTL_MS = 10_000;
const API_SERVER = 'the API server';

/** What {@link ownAddresses} is told. */
export interface OwnAddressesOptions {
  readonly kube: Pick<KubeApi, 'get' | 'list'>;
  /** Namespace of the control plane. */
  readonly namespace: string;
  /** Addresses by which this process knows the API server. */
  readonly apiServer: readonly string[];
  readonly now: () => number;
}

/**
 * Tells what of the platform's own is at an address: nothing is fetched from the API server, the bus, the gateway, or any
 * other Pod of the control plane. Rejects when Kubernetes can't be asked: then nothing is fetched at all.
 */
export function ownAddresses(options: OwnAddressesOptions): (address: string) => Promise<string | undefined> {
  const cache = new ExpiringCache<ReadonlyMap<string, string>>({ ttlMs: TTL_MS, maxEntries: 1, now: options.now });
  return async (address) => (await cache.get('', () => load(options))).get(normalAddress(address) ?? '');
}

function load({ kube, namespace, apiServer }: OwnAddressesOptions): Promise<ReadonlyMap<string, string>> {
  return ask("read the control plane's addresses", async () => {
    const [pods, services, slice] = await Promise.all([
      kube.list(PODS, { namespace }),
      kube.list(SERVICES, { namespace }),
      kube.get(ENDPOINT_SLICES, { namespace: 'default', name: 'kubernetes' }),
    ]);
    const own = new Map<string, string>();
    const add = (what: string, addresses: readonly (string | undefined)[]) => {
      for (const address of addresses) {
        const normal = normalAddress(address ?? '');
        if (normal !== undefined) own.set(normal, what);
      }
    };
    for (const { metadata, status } of pods.items) {
      add(
        `Pod '${metadata.name}' of the control plane`,
        (status?.podIPs ?? []).map(({ ip }) => ip),
      );
    }
    for (const { metadata, spec, status } of services.items) {
      const ingress = status?.loadBalancer?.ingress ?? [];
      add(`Service '${metadata.name}' of the control plane`, [
        ...(spec?.clusterIPs ?? []),
        ...(spec?.externalIPs ?? []),
        ...ingress.map(({ ip }) => ip),
      ]);
    }
    add(API_SERVER, [...apiServer, ...(slice?.endpoints ?? []).flatMap(({ addresses = [] }) => addresses)]);
    return own;
  });
}
