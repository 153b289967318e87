import { isIP } from 'node:net';

/** Where a skill may connect to, as `spec.egress.hosts` names it. */
export type EgressHost = { readonly port: number } & (
  | { readonly kind: 'addresses'; readonly cidr: string }
  /** A Service; without a namespace, of the run's own. */
  | { readonly kind: 'service'; readonly name: string; readonly namespace?: string }
  | { readonly kind: 'name'; readonly host: string }
);

const LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

/** Reads one entry of `spec.egress.hosts`, or says what is wrong with it. */
export function egressHost(text: string): EgressHost | { readonly problem: string } {
  const [, bracketed, plain = '', digits = ''] = /^(?:\[([^\]]+)\]|([^:]+)):([0-9]{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  const host = bracketed ?? plain;
  const problem = `'${text}' is no host: expected name:port or address/bits:port, for example 'api.github.com:443' or '10.0.0.0/8:443'`;
  if (host === '' || port < 1 || port > 65_535) return { problem };
  const cidr = cidrOf(host);
  if (cidr !== undefined) return { kind: 'addresses', cidr, port };
  return bracketed === undefined && isName(host) ? named(host, port) : { problem };
}

const isName = (host: string): boolean =>
  host.length <= 253 && host.split('.').every((label) => LABEL.test(label)) && !/(^|\.)[0-9]+$/.test(host);

/** One label is a Service beside the run; `<name>.<namespace>.svc` is one elsewhere, whatever the cluster's domain. */
function named(host: string, port: number): EgressHost {
  const [name = '', namespace, svc] = host.split('.');
  if (namespace === undefined) return { kind: 'service', name, port };
  return svc === 'svc' ? { kind: 'service', name, namespace, port } : { kind: 'name', host, port };
}

/** An address as the block that holds only it. */
export const blockOf = (address: string): string => `${address}/${isIP(address) === 6 ? 128 : 32}`;

function cidrOf(host: string): string | undefined {
  const [address = '', bits, more] = host.split('/');
  const version = isIP(address);
  if (version === 0 || more !== undefined) return undefined;
  if (bits === undefined) return blockOf(address);
  const most = version === 6 ? 128 : 32;
  return /^[0-9]{1,3}$/.test(bits) && Number(bits) <= most ? host : undefined;
}
