import { lookup } from 'node:dns/promises';
import { BlockList, isIP } from 'node:net';
import { decideHost } from '../../../../lib/policy/decide.ts';
import type { EffectivePolicy } from '../../../../lib/policy/effective.ts';
import { blockOf, egressHost, type EgressHost } from '../../../../lib/policy/egress-host.ts';
import { inNamespace, type EgressRule } from '../../../../lib/policy/network.ts';
import type { KubeApi } from '../../../kube/port.ts';
import { ENDPOINTS, SERVICES, type Service } from '../../../kube/resources.ts';
import type { Skill } from './skill.ts';

/** What egress is computed with. */
export interface EgressContext {
  readonly kube: Pick<KubeApi, 'get'>;
  /** Addresses of a name; none when it has none. */
  readonly resolve: Resolve;
  /** Namespace of the run. */
  readonly namespace: string;
}

export type Resolve = (host: string) => Promise<readonly string[]>;

/** What the skills of a run may connect to. */
export interface Egress {
  readonly rules: readonly EgressRule[];
  /** Hosts that were not found, and so stay closed. */
  readonly unknown: readonly string[];
  /** Sentences about hosts that the policy forbids. */
  readonly forbidden: readonly string[];
}

/** Most addresses of one name that are opened. */
const MOST_ADDRESSES = 32;

/** Never opened for a name: this node, and the cloud's metadata. */
const NEVER = new BlockList();
NEVER.addSubnet('0.0.0.0', 8);
NEVER.addSubnet('127.0.0.0', 8);
NEVER.addSubnet('169.254.0.0', 16);
NEVER.addSubnet('fe80::', 10, 'ipv6');
NEVER.addSubnet('::', 127, 'ipv6');

/** Addresses that are not on the internet. */
const INSIDE = new BlockList();
INSIDE.addSubnet('10.0.0.0', 8);
INSIDE.addSubnet('172.16.0.0', 12);
INSIDE.addSubnet('192.168.0.0', 16);
INSIDE.addSubnet('100.64.0.0', 10);
INSIDE.addSubnet('fc00::', 7, 'ipv6');

const within = (list: BlockList, address: string): boolean =>
  list.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');

/** The system's own resolver. */
export const resolveHost: Resolve = async (host) => {
  try {
    return (await lookup(host, { all: true })).map(({ address }) => address);
  } catch {
    return [];
  }
};

/**
 * Finds out what the skills of a run declare that they connect to. The hosts of the administrator's own packs are the
 * administrator's word; those of other packs must be allowed by the policy, else a tenant could open the network.
 */
export async function egressOf(
  context: EgressContext,
  skills: readonly Skill[],
  policy: Pick<EffectivePolicy, 'egress'>,
): Promise<Egress> {
  const found = await Promise.all([
    ...(skills.some(({ spec }) => spec.egress?.apiServer === true) ? [apiServer(context)] : []),
    ...skills.flatMap((skill) => (skill.spec.egress?.hosts ?? []).map((host) => one(context, skill, host, policy))),
  ]);
  return {
    rules: found.flatMap(({ rules = [] }) => rules),
    unknown: found.flatMap(({ unknown = [] }) => unknown),
    forbidden: found.flatMap(({ forbidden = [] }) => forbidden),
  };
}

async function apiServer(context: EgressContext): Promise<Partial<Egress>> {
  const name = { namespace: 'default', name: 'kubernetes' };
  const [service, addresses] = await Promise.all([context.kube.get(SERVICES, name), endpointsOf(context, name)]);
  // Some networks look at a packet before its address is replaced, some after.
  const own = (service?.spec?.clusterIPs ?? []).map((address) => open([{ ipBlock: { cidr: blockOf(address) } }], 443));
  return addresses.length + own.length === 0 ? { unknown: ['the API server'] } : { rules: [...own, ...addresses] };
}

async function one(
  context: EgressContext,
  skill: Skill,
  text: string,
  policy: Pick<EffectivePolicy, 'egress'>,
): Promise<Partial<Egress>> {
  const host = egressHost(text);
  if ('problem' in host) return { forbidden: [`skill '${skill.name}': ${host.problem}`] };
  const { rules, inCluster } = await rulesOf(context, host);
  const name = host.kind === 'name' ? host.host : text.replace(/:[0-9]+$/, '');
  const verdict = skill.system ? undefined : decideHost(policy, name, { inCluster });
  if (verdict?.allowed === false) {
    return { forbidden: [`skill '${skill.name}' wants to connect to '${text}', but ${verdict.because}: use a skill without it, or have the policy changed`] }; // prettier-ignore
  }
  return rules.length === 0 ? { unknown: [text] } : { rules };
}

async function rulesOf(
  context: EgressContext,
  host: EgressHost,
): Promise<{ readonly rules: readonly EgressRule[]; readonly inCluster: boolean }> {
  switch (host.kind) {
    case 'addresses':
      return { rules: [open([{ ipBlock: { cidr: host.cidr } }], host.port)], inCluster: true };
    case 'service':
      return { rules: await serviceRules(context, host), inCluster: true };
    case 'name': {
      const addresses = await usable(context, host.host);
      const to = addresses.map((address) => ({ ipBlock: { cidr: blockOf(address) } }));
      const inCluster = addresses.some((address) => within(INSIDE, address));
      return { rules: to.length === 0 ? [] : [open(to, host.port)], inCluster };
    }
  }
}

async function serviceRules(
  context: EgressContext,
  { name, namespace = context.namespace, port }: EgressHost & { readonly kind: 'service' },
): Promise<readonly EgressRule[]> {
  const service: Service | undefined = await context.kube.get(SERVICES, { namespace, name });
  if (service === undefined) return [];
  const { selector, ports = [], externalName } = service.spec ?? {};
  if (externalName !== undefined) {
    const addresses = await usable(context, externalName);
    return addresses.length === 0
      ? []
      : [
          open(
            addresses.map((one) => ({ ipBlock: { cidr: blockOf(one) } })),
            port,
          ),
        ];
  }
  if (selector === undefined) return endpointsOf(context, { namespace, name });
  // Pods are reached at their own port, whatever the Service calls it.
  const target = ports.find((its) => its.port === port)?.targetPort ?? port;
  return [open([{ namespaceSelector: inNamespace(namespace), podSelector: { matchLabels: selector } }], target)];
}

async function endpointsOf(
  { kube }: EgressContext,
  name: { readonly namespace: string; readonly name: string },
): Promise<readonly EgressRule[]> {
  const endpoints = await kube.get(ENDPOINTS, name);
  return (endpoints?.subsets ?? []).flatMap(({ addresses = [], ports = [] }) =>
    addresses.length === 0
      ? []
      : ports.map(({ port }) =>
          open(
            addresses.map(({ ip }) => ({ ipBlock: { cidr: blockOf(ip) } })),
            port,
          ),
        ),
  );
}

const usable = async ({ resolve }: EgressContext, host: string): Promise<readonly string[]> =>
  [...new Set(await resolve(host))].filter((address) => !within(NEVER, address)).slice(0, MOST_ADDRESSES);

const open = (to: EgressRule['to'], port: number | string): EgressRule => ({ to, ports: [{ protocol: 'TCP', port }] });
