import type { OwnerReference } from '../../lib/api/metadata.ts';
import { leader } from '../metrics/kube.ts';
import { sleep, type Clock } from '../runtime/clock.ts';
import { isKubeError } from './errors.ts';
import { ownedBy } from './own-account.ts';
import type { KubeApi } from './port.ts';
import { LEASES, type Lease } from './resources.ts';

const LEASE_SECONDS = 15;
const RENEW_DEADLINE_MS = 10_000;
const RETRY_MS = 2_000;

/** What an {@link Elector} needs. */
export interface ElectorOptions {
  readonly kube: KubeApi;
  readonly clock: Clock;
  readonly namespace: string;
  /** Name of the Lease that the replicas share. */
  readonly name: string;
  /** Name of this replica: no two may have the same. */
  readonly identity: string;
  /** With whom a new Lease goes. */
  readonly owner?: OwnerReference | undefined;
  /** A request failed; the elector goes on by itself. */
  readonly onError: (error: unknown) => void;
}

/**
 * Makes one replica the leader, by a Lease.
 *
 * Whoever sees that the Lease didn't change for 15 s of its own time takes it; a leader that couldn't renew for 10 s of
 * its own time must stop. Clocks of different machines are never compared.
 */
export class Elector {
  readonly #options: ElectorOptions;
  /** The Lease as it was last seen, and when that was first seen. */
  #seen: { readonly version: string; readonly at: number } | undefined;
  #held: Lease | undefined;

  constructor(options: ElectorOptions) {
    this.#options = options;
  }

  /** Resolves with `true` when this replica leads, with `false` when the signal came first. */
  async acquire(signal: AbortSignal): Promise<boolean> {
    this.#tell(0);
    for (;;) {
      if (signal.aborted) return false;
      if (await this.#attempt()) {
        this.#tell(1);
        return true;
      }
      await sleep(this.#options.clock, RETRY_MS, signal);
    }
  }

  /**
   * Keeps the Lease until the signal: then it waits for `work` to end, and gives the Lease back, so that another replica
   * goes on at once.
   *
   * @throws Error when the Lease is lost: another replica leads, so this process must end now
   */
  async hold(signal: AbortSignal, work: Promise<void>): Promise<void> {
    const { clock } = this.#options;
    const stopped = () => signal.aborted;
    let renewed = clock.now();
    while (!stopped()) {
      await sleep(clock, RETRY_MS, signal);
      if (stopped()) break;
      // The timer fires even when a request hangs: a leader that can't reach the API server must not go on.
      const left = RENEW_DEADLINE_MS - (clock.now() - renewed);
      const ok = await Promise.race([this.#attempt(), sleep(clock, left).then(() => false)]);
      if (ok) renewed = clock.now();
      else if (clock.now() - renewed >= RENEW_DEADLINE_MS || this.#held === undefined) {
        this.#tell(0);
        throw new Error('lost the Lease: it could not be renewed in time, so another replica may lead');
      }
    }
    await work;
    await this.#release();
    this.#tell(0);
  }

  #tell(leads: 0 | 1): void {
    leader.set(leads, { name: this.#options.name });
  }

  async #attempt(): Promise<boolean> {
    try {
      return await this.#acquireOrRenew();
    } catch (error) {
      this.#options.onError(error);
      return false;
    }
  }

  async #acquireOrRenew(): Promise<boolean> {
    const { kube, clock, identity, namespace, name } = this.#options;
    const lease = await kube.get(LEASES, { namespace, name });
    const now = microTime(clock.date());
    if (lease === undefined) return this.#write('create', this.#lease(undefined, now));
    const { holderIdentity: holder = '', renewTime = '', leaseDurationSeconds = LEASE_SECONDS } = lease.spec;
    if (holder !== identity) this.#held = undefined; // someone took it: only possible after we failed to renew
    const version = `${holder}/${renewTime}`;
    if (this.#seen?.version !== version) this.#seen = { version, at: clock.now() };
    const free = holder === '' || clock.now() - this.#seen.at >= leaseDurationSeconds * 1000;
    // Our own identity counts too: a container that was restarted in place has its Pod's name again.
    return holder === identity || free ? this.#write('replace', this.#lease(lease, now)) : false;
  }

  #lease(previous: Lease | undefined, now: string): Lease {
    const { identity, namespace, name, owner } = this.#options;
    const renewal = previous?.spec.holderIdentity === identity;
    const transitions = previous?.spec.leaseTransitions ?? 0;
    return {
      apiVersion: LEASES.apiVersion,
      kind: LEASES.kind,
      metadata: previous?.metadata ?? { name, namespace, ...ownedBy(owner) },
      spec: {
        holderIdentity: identity,
        leaseDurationSeconds: LEASE_SECONDS,
        acquireTime: renewal ? (previous.spec.acquireTime ?? now) : now,
        renewTime: now,
        leaseTransitions: previous === undefined || renewal ? transitions : transitions + 1,
      },
    };
  }

  async #write(verb: 'create' | 'replace', lease: Lease): Promise<boolean> {
    try {
      this.#held = await this.#options.kube[verb](LEASES, lease);
      return true;
    } catch (error) {
      if (isKubeError(error, 'Conflict', 'AlreadyExists', 'NotFound')) return false; // another replica was first
      throw error;
    }
  }

  async #release(): Promise<void> {
    if (this.#held === undefined) return;
    const { spec, ...lease } = this.#held;
    try {
      await this.#options.kube.replace(LEASES, {
        ...lease,
        spec: { ...spec, holderIdentity: '', leaseDurationSeconds: 1 },
      });
    } catch (error) {
      this.#options.onError(error); // the others wait 15 s, then
    }
  }
}

/** Leases have microseconds. */
const microTime = (date: Date): string => date.toISOString().replace('Z', '000Z');
