import type { Clock } from './clock.ts';

const FIRST_RETRY_MS = 5;
const LAST_RETRY_MS = 300_000;

/**
 * A queue of object keys with the guarantees of a Kubernetes work queue: a key waits at most once, is never given to
 * two workers together, and is given again if it was added while in work.
 */
export class WorkQueue {
  readonly #clock: Clock;
  readonly #waiting: string[] = [];
  readonly #dirty = new Set<string>();
  readonly #working = new Set<string>();
  readonly #failures = new Map<string, number>();
  readonly #later = new Map<string, { readonly at: number; readonly cancel: () => void }>();
  readonly #takers: ((key: string | undefined) => void)[] = [];
  #closed = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(key: string): void {
    if (this.#closed || this.#dirty.has(key)) return;
    this.#dirty.add(key);
    if (this.#working.has(key)) return; // done() will queue it
    const taker = this.#takers.shift();
    if (taker === undefined) this.#waiting.push(key);
    else taker(this.#start(key));
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
    if (this.#dirty.delete(key)) this.add(key);
  }

  /** Gives out nothing more. */
  close(): void {
    this.#closed = true;
    for (const { cancel } of this.#later.values()) cancel();
    this.#later.clear();
    for (const taker of this.#takers.splice(0)) taker(undefined);
  }

  #start(key: string): string {
    this.#dirty.delete(key);
    this.#working.add(key);
    return key;
  }
}
