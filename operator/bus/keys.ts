import { nkeys } from '@nats-io/transport-node';
import { bytes } from './seed.ts';

/** The two key pairs of the bus, as their seeds: whoever has one, has the key. */
export interface BusKeys {
  /** Signs the answers of the auth callout, and with them every run's permissions. */
  readonly issuerSeed: string;
  /** The controller's own key: the one user of the bus that is not asked for a token. */
  readonly controllerSeed: string;
}

/** Makes new keys. Everything signed with earlier ones stops being valid once NATS has loaded the new configuration. */
export function generateBusKeys(): BusKeys {
  return { issuerSeed: text(nkeys.createAccount().getSeed()), controllerSeed: text(nkeys.createUser().getSeed()) };
}

/** Public half of a seed, as `nats.conf` names it. */
export function publicKey(seed: string): string {
  try {
    return nkeys.fromSeed(bytes(seed)).getPublicKey();
  } catch (cause) {
    throw new Error(
      `bus key is not an nkey seed (got ${seed.length} characters; expected one that starts with SA or SU): delete the Secret sympozium-bus and the controller makes a new one`,
      { cause },
    );
  }
}

const text = (seed: Uint8Array): string => new TextDecoder().decode(seed);
