import { isIP } from 'node:net';
import { decideHost } from '../../../lib/policy/decide.ts';
import type { EffectivePolicy } from '../../../lib/policy/effective.ts';
import { placeOf, type Networks } from './address.ts';
import { DeniedError, FailedError } from './refusal.ts';
import type { Target } from './target.ts';

/** An address that was checked: connections go there and nowhere else. */
export interface Checked {
  readonly address: string;
  readonly family: 4 | 6;
}

/** What a {@link Guard} asks. */
export interface GuardOptions {
  /** All addresses of a name. Rejects when there are none. */
  readonly resolve: (name: string, signal: AbortSignal) => Promise<readonly string[]>;
  /** What of the platform's own is at an address, such as `the API server`; `undefined` when nothing is. */
  readonly ownAt: (address: string) => Promise<string | undefined>;
  /** Networks of the cluster that are not of a private range. */
  readonly cluster: Networks;
}

/** Decides where fetches may go: by name first, so that nothing is asked of the DNS in vain, then by every address. */
export class Guard {
  readonly #options: GuardOptions;

  constructor(options: GuardOptions) {
    this.#options = options;
  }

  /**
   * The addresses to connect to. The name is resolved once, here: what is connected to is what was checked.
   *
   * @throws DeniedError that names the rule
   * @throws FailedError when the host has no address
   */
  async admit({ host }: Target, policy: EffectivePolicy, signal: AbortSignal): Promise<readonly Checked[]> {
    decide(policy, host, false);
    const literal = isIP(host) !== 0;
    const addresses = literal ? [host] : await this.#options.resolve(host, signal);
    if (addresses.length === 0) throw new FailedError(`'${host}' has no address`);
    const checked: Checked[] = [];
    // One bad address spoils the name: a server with an honest one has no reason to have it.
    for (const address of addresses) {
      const { reach, kind } = placeOf(address, this.#options.cluster);
      const what = literal ? `'${host}' is ${kind}` : `'${host}' has the address ${address}, ${kind}`;
      if (reach === 'nowhere') throw new DeniedError(`${what}: nothing is fetched from there`);
      if (reach === 'inCluster') decide(policy, host, true);
      const own = await this.#options.ownAt(address);
      if (own !== undefined) throw new DeniedError(`'${host}' is ${own}: nothing is fetched from there`);
      checked.push({ address, family: isIP(address) === 6 ? 6 : 4 });
    }
    return checked;
  }
}

function decide(policy: EffectivePolicy, host: string, inCluster: boolean): void {
  const verdict = decideHost(policy, host, { inCluster });
  if (!verdict.allowed) throw new DeniedError(verdict.because);
}
