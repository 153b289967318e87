import { randomBytes } from 'node:crypto';
import { KEYS_FILE, keysConf } from '../../lib/policy/nats-conf.ts';
import { type BusKeys, generateBusKeys, publicKey } from './keys.ts';

/** Content of the Secret `sympozium-bus`. NATS gets the last two only. */
export interface BusSecret {
  readonly 'issuer.seed': string;
  readonly 'controller.seed': string;
  /** The public halves of the seeds, as `nats.conf` includes them. */
  readonly [KEYS_FILE]: string;
  /** What several servers of NATS show each other. */
  readonly 'routes.password': string;
}

/** Names of all that the Secret holds. */
export const BUS_SECRET_KEYS = ['issuer.seed', 'controller.seed', KEYS_FILE, 'routes.password'] as const;

/** Makes new keys. */
export function newBusSecret(): BusSecret {
  const keys = generateBusKeys();
  return completeBusSecret({ 'issuer.seed': keys.issuerSeed, 'controller.seed': keys.controllerSeed });
}

/** Adds what follows from the seeds, and a password where there is none: earlier releases kept the seeds only. */
export function completeBusSecret(
  known: Pick<BusSecret, 'issuer.seed' | 'controller.seed'> & Partial<BusSecret>,
): BusSecret {
  const { 'issuer.seed': issuer, 'controller.seed': controller, 'routes.password': password } = known;
  return {
    'issuer.seed': issuer,
    'controller.seed': controller,
    [KEYS_FILE]: keysFile({ issuerSeed: issuer, controllerSeed: controller }),
    // A letter first: NATS reads the variable as it reads its configuration, where digits are a number.
    'routes.password': password ?? `p${randomBytes(24).toString('hex')}`,
  };
}

/** Text of `keys.conf` for these keys. */
export const keysFile = ({ issuerSeed, controllerSeed }: BusKeys): string =>
  keysConf({ issuer: publicKey(issuerSeed), controller: publicKey(controllerSeed) });
