import type { OwnerReference } from '../../lib/api/metadata.ts';
import { BUS_SECRET_KEYS, completeBusSecret, newBusSecret, type BusSecret } from '../bus/config.ts';
import { isKubeError } from '../kube/errors.ts';
import { ownedBy } from '../kube/own-account.ts';
import type { KubeApi } from '../kube/port.ts';
import { OURS, SECRETS, type Secret } from '../kube/resources.ts';

/** Secret with the keys of the bus. */
export const BUS_SECRET = 'sympozium-bus';

const SEEDS = ['issuer.seed', 'controller.seed'] as const;

/**
 * The keys of the bus: made once, by whichever replica comes first. A Secret of an earlier release keeps its seeds and
 * gets what is missing; NATS waits for it.
 *
 * @param owner with whom a new Secret goes
 * @throws Error when the Secret is there but lacks a seed
 */
export async function ensureBusSecret(
  kube: Pick<KubeApi, 'get' | 'create' | 'replace'>,
  namespace: string,
  owner?: OwnerReference,
): Promise<BusSecret> {
  const name = { namespace, name: BUS_SECRET };
  const existing = await kube.get(SECRETS, name);
  const known = existing === undefined ? undefined : decode(existing);
  const wanted = known === undefined ? newBusSecret() : completeBusSecret(known);
  if (known !== undefined && BUS_SECRET_KEYS.every((key) => known[key] === wanted[key])) return wanted;
  // What else is in there stays: an earlier release that is rolled back to reads its `nats.conf`.
  const data = { ...existing?.data, ...encode(wanted) };
  const secret: Secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: existing?.metadata ?? { ...name, labels: OURS, ...ownedBy(owner) },
    type: 'Opaque',
    data,
  };
  try {
    await (existing === undefined ? kube.create(SECRETS, secret) : kube.replace(SECRETS, secret));
    return wanted;
  } catch (error) {
    if (!isKubeError(error, 'AlreadyExists', 'Conflict', 'NotFound')) throw error;
    return ensureBusSecret(kube, namespace, owner); // another replica was first: its keys count
  }
}

const encode = (secret: BusSecret): Record<string, string> =>
  Object.fromEntries(BUS_SECRET_KEYS.map((key) => [key, Buffer.from(secret[key]).toString('base64')]));

function decode({ data = {} }: Secret): Pick<BusSecret, (typeof SEEDS)[number]> & Partial<BusSecret> {
  const missing = SEEDS.filter((key) => data[key] === undefined);
  if (missing.length > 0) {
    throw new Error(
      `Secret '${BUS_SECRET}' lacks ${missing.join(', ')}: delete it, and restart the controller and NATS, which then get new keys`,
    );
  }
  const present = BUS_SECRET_KEYS.filter((key) => data[key] !== undefined);
  return Object.fromEntries(
    present.map((key) => [key, Buffer.from(data[key] ?? '', 'base64').toString('utf8')]),
  ) as unknown as BusSecret;
}
