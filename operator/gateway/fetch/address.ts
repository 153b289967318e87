import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

/** Where an address leads. */
export interface Place {
  /** `nowhere`: no fetch goes there, whatever policies say. */
  readonly reach: 'public' | 'inCluster' | 'nowhere';
  /** What it is, with an article. */
  readonly kind: string;
}

/** Ranges that Pods, Services and the machines around them have addresses of. */
const IN_CLUSTER: Readonly<Record<string, string>> = {
  private: 'a private address',
  carrierGradeNat: 'a private address of a carrier (100.64.0.0/10)',
  uniqueLocal: 'a private address (fc00::/7)',
};

const NOWHERE: Readonly<Record<string, string>> = {
  loopback: 'a loopback address',
  linkLocal: 'a link-local address, as metadata services have',
  unspecified: 'an address of this machine (0.0.0.0/8)',
  multicast: 'a multicast address',
  broadcast: 'the broadcast address',
  ipv4Mapped: 'an IPv4 address in an IPv6 disguise',
  rfc6145: 'an IPv4 address in an IPv6 disguise',
  '6to4': 'an address of a tunnel (6to4)',
  teredo: 'an address of a tunnel (Teredo)',
};
const RESERVED = 'an address of a reserved range';

/** Metadata services of clouds at addresses that are not link-local: Azure, Alibaba, AWS, Google. */
const METADATA = new Set(['168.63.129.16', '100.100.100.200', 'fd00:ec2::254', 'fd20:ce::254']);

/** All that was ever given to the internet. Whatever else IPv6 has is reserved, even where no list names it. */
const GLOBAL_V6 = ipaddr.parseCIDR('2000::/3');
/** Where IPv6 networks put IPv4 addresses (RFC 6052). Networks choose the shape of `64:ff9b:1::/48` themselves. */
const NAT64 = ipaddr.parseCIDR('64:ff9b::/96');

/** Networks, as `10.0.0.0/8`. */
export type Networks = readonly (readonly [Address, number])[];
type Address = ReturnType<typeof ipaddr.parse>;

/** @throws Error when one of them is no network */
export const parseNetworks = (cidrs: readonly string[]): Networks => cidrs.map((cidr) => ipaddr.parseCIDR(cidr));

/** One spelling for each address, for comparisons; `undefined` for what is none. */
export function normalAddress(text: string): string | undefined {
  // Stricter than the library, which also reads the octal and shortened ways to write one; zones are for one link only.
  return isIP(text) === 0 || text.includes('%') ? undefined : ipaddr.parse(text).toString();
}

/**
 * Where an address leads.
 *
 * @param cluster networks of Pods and Services that are not of a private range
 */
export function placeOf(text: string, cluster: Networks = []): Place {
  const normal = normalAddress(text);
  if (normal === undefined) return { reach: 'nowhere', kind: 'no address' };
  if (METADATA.has(normal)) return { reach: 'nowhere', kind: 'the address of a metadata service' };
  const address = ipaddr.parse(normal);
  const range: string = address.range();
  const inside = IN_CLUSTER[range];
  if (inside !== undefined) return { reach: 'inCluster', kind: inside };
  const embedded = behindNat64(address);
  if (embedded !== undefined) {
    const { reach, kind } = placeOf(embedded, cluster);
    // Into the cluster nobody has to go by a translator.
    return reach === 'public' ? { reach, kind } : { reach: 'nowhere', kind: `behind a translator (NAT64) ${kind}` };
  }
  if (range !== 'unicast') return { reach: 'nowhere', kind: NOWHERE[range] ?? RESERVED };
  if (cluster.some(([network, bits]) => network.kind() === address.kind() && address.match(network, bits))) {
    return { reach: 'inCluster', kind: 'an address of the cluster' };
  }
  if (address.kind() === 'ipv6' && !address.match(GLOBAL_V6)) return { reach: 'nowhere', kind: RESERVED };
  return { reach: 'public', kind: 'a public address' };
}

function behindNat64(address: Address): string | undefined {
  return address.kind() === 'ipv6' && address.match(NAT64) ? address.toByteArray().slice(-4).join('.') : undefined;
}
