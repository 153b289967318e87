import { queueAdds, queueDepth, queueRetries, queueWait } from '../metrics/queue.ts';
import type { Clock } from './clock.ts';

const FIRST_RETRY_MS = 5;
const LAST_RETRY_MS = 300_000;

/**
 * A queue of object keys with the guarantees of a Kubernetes work queue: a key waits at most once, is never given to
 * two workers together, and is given again if it was added while in work.
 */
export class WorkQueue {
  readonly #clock: Clock;
  readonly #labels: { readonly name: string };
  readonly #waiting: string[] = [];
  /** Keys that were added and not yet given out, and when. */
  readonly #dirty = new Map<string, number>();
  readonly #working = new Set<string>();
  readonly #failures = new Map<string, number>();
  readonly #later = new Map<string, { readonly at: number; readonly cancel: () => void }>();
  readonly #takers: ((key: string | undefined) => void)[] = [];
  #closed = false;

  /** @param name of what it holds, for its metrics */
  constructor(clock: Clock, name: string) {
    this.#clock = clock;
    this.#labels = { name };
  }

  add(key: string): void {
    if (this.#closed || this.#dirty.has(key)) return;
    this.#dirty.set(key, this.#clock.now());
    queueAdds.add(this.#labels);
    if (!this.#working.has(key)) this.#enqueue(key); // else done() will
  }

  /** Adds the key after a time. Of several times for one key the earliest counts, and only that. */
  addAfter(key: string, ms: number): void {
    if (this.#closed) return;
    if (ms <= 0) {
      this.add(key);
      return;
    }
    const at = this.#clock.now() + ms;
    const known = this.#later.get(key);
    if (known !== undefined && known.at <= at) return;
    known?.cancel();
    const cancel = this.#clock.after(ms, () => {
      this.#later.delete(key);
      this.add(key);
    });
    this.#later.set(key, { at, cancel });
  }

  /** Adds the key after a pause that doubles with each failure in a row: 5 ms at first, 5 minutes at most. */
  addRateLimited(key: string): void {
    const failures = this.#failures.get(key) ?? 0;
    this.#failures.set(key, failures + 1);
    queueRetries.add(this.#labels);
    this.addAfter(key, Math.min(FIRST_RETRY_MS * 2 ** failures, LAST_RETRY_MS));
  }

  /** Forgets the failures of a key. */
  forget(key: string): void {
    this.#failures.delete(key);
  }

  /** The next key, or `undefined` when the queue is closed. Every key taken must be given to `done`. */
  take(): Promise<string | undefined> {
    const key = this.#closed ? undefined : this.#waiting.shift();
    if (key !== undefined) return Promise.resolve(this.#start(key));
    if (this.#closed) return Promise.resolve(undefined);
    return new Promise((resolve) => this.#takers.push(resolve));
  }

  /** The work on a key has ended. */
  done(key: string): void {
    this.#working.delete(key);
    if (!this.#closed && this.#dirty.has(key)) this.#enqueue(key);
  }

  /** Gives out nothing more. */
  close(): void {
    this.#closed = true;
    for (const { cancel } of this.#later.values()) cancel();
    this.#later.clear();
    for (const taker of this.#takers.splice(0)) taker(undefined);
  }

  #enqueue(key: string): void {
    const taker = this.#takers.shift();
    if (taker === undefined) {
      this.#waiting.push(key);
      queueDepth.set(this.#waiting.length, this.#labels);
    } else taker(this.#start(key));
  }

  #start(key: string): string {
    const added = this.#dirty.get(key) ?? this.#clock.now();
    queueWait.record((this.#clock.now() - added) / 1000, this.#labels);
    queueDepth.set(this.#waiting.length, this.#labels);
    this.#dirty.delete(key);
    this.#working.add(key);
    return key;
  }
}
