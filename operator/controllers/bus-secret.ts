import { newBusSecret, type BusSecret } from '../bus/config.ts';
import { isKubeError } from '../kube/errors.ts';
import type { KubeApi } from '../kube/port.ts';
import { SECRETS, type Secret } from '../kube/resources.ts';

/** Secret with the keys of the bus and the configuration of NATS. */
export const BUS_SECRET = 'sympozium-bus';

const KEYS = ['nats.conf', 'issuer.seed', 'controller.seed'] as const;

/**
 * The keys of the bus: made once, by whichever replica comes first.
 *
 * @throws Error when the Secret is there but lacks a key
 */
export async function ensureBusSecret(kube: Pick<KubeApi, 'get' | 'create'>, namespace: string): Promise<BusSecret> {
  const name = { namespace, name: BUS_SECRET };
  const existing = await kube.get(SECRETS, name);
  if (existing !== undefined) return decode(existing);
  const made = newBusSecret();
  const data = Object.fromEntries(
    Object.entries(made).map(([key, value]) => [key, Buffer.from(String(value)).toString('base64')]),
  );
  try {
    await kube.create(SECRETS, { apiVersion: 'v1', kind: 'Secret', metadata: name, type: 'Opaque', data });
    return made;
  } catch (error) {
    if (!isKubeError(error, 'AlreadyExists')) throw error;
    return ensureBusSecret(kube, namespace); // another replica was first: its keys count
  }
}

function decode({ data = {} }: Secret): BusSecret {
  const missing = KEYS.filter((key) => data[key] === undefined);
  if (missing.length > 0) {
    throw new Error(
      `Secret '${BUS_SECRET}' lacks ${missing.join(', ')}: delete it, and restart the controller and NATS, which then get new keys`,
    );
  }
  return Object.fromEntries(
    KEYS.map((key) => [key, Buffer.from(data[key] ?? '', 'base64').toString('utf8')]),
  ) as unknown as BusSecret;
}
