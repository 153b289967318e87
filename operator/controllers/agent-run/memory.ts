import type { AgentRun } from '../../../lib/api/v1alpha1/agent-run.ts';
import type { Job } from '../../kube/resources.ts';
import type { Clock } from '../../runtime/clock.ts';
import { uidOf } from './own.ts';
import type { Finding } from './finding.ts';

/** A finding that ends the run unless a result comes in time. */
type Failure = Finding & { readonly kind: 'failed' };

/** Deleting takes moments; only when it takes this long, something may be wrong. */
const CLEAN_AGAIN_MS = 30_000;

interface Notes {
  /** When the run was first heard of. */
  appeared?: number;
  /** The Job as our create request returned it: the cache is behind by some milliseconds. */
  job?: Job;
  jobSeen: boolean;
  podSeen: boolean;
  held?: { readonly reason: string; readonly since: number };
  failure?: { readonly finding: Failure; readonly since: number };
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

  /** The run was heard of; only the first time counts. */
  heardOf(uid: string): void {
    this.#of(uid).appeared ??= this.#clock.date().getTime();
  }

  /**
   * When the run was created, in milliseconds since 1970. Objects say it in whole seconds: within that second, when we
   * heard of the run is nearer.
   */
  createdAt(run: AgentRun): number {
    const told = Date.parse(run.metadata.creationTimestamp ?? '');
    const heard = this.#notes.get(uidOf(run))?.appeared ?? told;
    return Math.min(Math.max(told, heard), told + 1000);
  }

  /** The Job was created, or found. */
  created(uid: string, job: Job): void {
    this.#of(uid).job = job;
  }

  /** Whether this process has created the run's Job. */
  startedHere(uid: string): boolean {
    return this.#notes.get(uid)?.job !== undefined;
  }

  /** The Job of this UID has been in the cache: that of an earlier attempt doesn't count. */
  sawJob(uid: string, jobUid: string | undefined): void {
    const notes = this.#of(uid);
    if (notes.job === undefined || notes.job.metadata.uid === jobUid) notes.jobSeen = true;
  }

  /** The run's Pod has been in the cache. */
  sawPod(uid: string): void {
    this.#of(uid).podSeen = true;
  }

  /** Another attempt at the run begins: what was seen of the one before doesn't count. */
  restarted(uid: string): void {
    const { appeared } = this.#of(uid);
    this.#notes.set(uid, { jobSeen: false, podSeen: false, ...(appeared === undefined ? {} : { appeared }) });
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

  /** Milliseconds since the run was found to be held up for this reason; another reason begins anew. */
  heldFor(uid: string, reason: string): number {
    const notes = this.#of(uid);
    if (notes.held?.reason !== reason) notes.held = { reason, since: this.#clock.now() };
    return this.#clock.now() - notes.held.since;
  }

  /**
   * The failure that was found first, and for how many more milliseconds a result may still come. What is found later
   * is a consequence of it: an evicted Pod is deleted in the end, and a Pod without its bridge fails as well. The time
   * for a result runs only while one could arrive.
   */
  failing(uid: string, finding: Failure, busConnected: boolean): { readonly first: Failure; readonly leftMs: number } {
    const now = this.#clock.now();
    const { failure } = this.#of(uid);
    const first = failure?.finding ?? finding;
    const since = failure === undefined || !busConnected ? now : failure.since;
    this.#of(uid).failure = { finding: first, since };
    return { first, leftMs: first.graceMs - (now - since) };
  }

  /** Nothing is wrong any more. */
  clear(uid: string): void {
    const notes = this.#notes.get(uid);
    delete notes?.held;
    delete notes?.failure;
  }

  /** Milliseconds until it is time to clean up after a run: 0 at first, and again when that didn't help for half a minute. */
  cleaningInMs(uid: string): number {
    const { cleanedAt } = this.#of(uid);
    return cleanedAt === undefined ? 0 : Math.max(0, cleanedAt + CLEAN_AGAIN_MS - this.#clock.now());
  }

  cleaned(uid: string): void {
    this.#of(uid).cleanedAt = this.#clock.now();
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
