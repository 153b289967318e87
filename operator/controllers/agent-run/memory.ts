import type { Job } from '../../kube/resources.ts';
import type { Clock } from '../../runtime/clock.ts';

interface Notes {
  /** The Job as our create request returned it: the cache is behind by some milliseconds. */
  job?: Job;
  jobSeen: boolean;
  podSeen: boolean;
  finding?: { readonly reason: string; readonly since: number };
  cleanedAt?: number;
}

/**
 * What this process remembers of runs beside the objects in the cluster. Losing it costs a pause or a request, never a
 * run: after a restart everything is found again.
 */
export class RunMemory {
  readonly #clock: Clock;
  readonly #notes = new Map<string, Notes>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The Job was created, or found. */
  created(uid: string, job: Job): void {
    this.#of(uid).job = job;
  }

  /** The run's Job or Pod has been in the cache. */
  saw(uid: string, what: 'job' | 'pod'): void {
    this.#of(uid)[what === 'job' ? 'jobSeen' : 'podSeen'] = true;
  }

  /** The Job we created, as long as the cache can't know of it. */
  unseenJob(uid: string): Job | undefined {
    const notes = this.#notes.get(uid);
    return notes?.jobSeen === false ? notes.job : undefined;
  }

  hadJob(uid: string): boolean {
    return this.#notes.get(uid)?.jobSeen === true;
  }

  hadPod(uid: string): boolean {
    return this.#notes.get(uid)?.podSeen === true;
  }

  /** Milliseconds since something was found for the first time in a row; another finding begins anew. */
  lasting(uid: string, reason: string): number {
    const notes = this.#of(uid);
    if (notes.finding?.reason !== reason) notes.finding = { reason, since: this.#clock.now() };
    return this.#clock.now() - notes.finding.since;
  }

  /** Nothing is wrong any more. */
  clear(uid: string): void {
    delete this.#notes.get(uid)?.finding;
  }

  /** Whether it is time to clean up after a run: once, and again when that didn't help for half a minute. */
  mayClean(uid: string): boolean {
    const { cleanedAt } = this.#of(uid);
    return cleanedAt === undefined || this.#clock.now() - cleanedAt > 30_000;
  }

  cleaned(uid: string): void {
    const notes = this.#of(uid);
    notes.cleanedAt = this.#clock.now();
    delete notes.job;
  }

  /** The run is gone. */
  forget(uid: string): void {
    this.#notes.delete(uid);
  }

  #of(uid: string): Notes {
    let notes = this.#notes.get(uid);
    if (notes === undefined) this.#notes.set(uid, (notes = { jobSeen: false, podSeen: false }));
    return notes;
  }
}
