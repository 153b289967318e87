/** How long and how much an {@link ExpiringCache} keeps. */
export interface CacheOptions {
  readonly ttlMs: number;
  readonly maxEntries: number;
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number;
}

interface Entry<T> {
  readonly value: Promise<T>;
  readonly expiresAt: number;
}

/**
 * Keeps what was loaded for a bounded time. Callers that ask for the same key at once share one load; a load that
 * fails is forgotten, so that nobody is refused for longer than the reason lasts.
 */
export class ExpiringCache<T> {
  readonly #entries = new Map<string, Entry<T>>();
  readonly #options: CacheOptions;

  constructor(options: CacheOptions) {
    this.#options = options;
  }

  get(key: string, load: () => Promise<T>): Promise<T> {
    const { ttlMs, now } = this.#options;
    const known = this.#entries.get(key);
    if (known !== undefined && known.expiresAt > now()) return known.value;
    // Counted from before the load: what was read is never older than the time to live.
    const expiresAt = now() + ttlMs;
    const entry = { value: load(), expiresAt };
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    entry.value.catch(() => {
      if (this.#entries.get(key) === entry) this.#entries.delete(key);
    });
    this.#evict();
    return entry.value;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Entries are in the order of their loads, so the first is the one that expires first. */
  #evict(): void {
    for (const [key, { expiresAt }] of this.#entries) {
      if (this.#entries.size <= this.#options.maxEntries && expiresAt > this.#options.now()) return;
      this.#entries.delete(key);
    }
  }
}
