import { keyOf, type KubeObject, type Listing, type WatchEvent } from './port.ts';

/** Where a reflector's objects come from. */
export interface Source<T> {
  /** Lists everything. */
  list(signal: AbortSignal): Promise<Listing<T>>;
  /** Watches from `resourceVersion` until the server ends the request. */
  watch(resourceVersion: string, signal: AbortSignal): AsyncIterable<WatchEvent<T>>;
}

/** How a reflector treats what it is told. */
export interface ReflectorOptions<T> {
  /** Drops the fields that nobody reads, so that the copy stays small. */
  readonly trim?: (object: T) => T;
  /** Waits before the next attempt; `attempt` counts failures in a row. */
  readonly pause: (attempt: number, signal: AbortSignal) => Promise<void>;
  /** A list or a watch failed; the reflector goes on by itself. */
  readonly onError: (error: unknown) => void;
}

/** The local copy of one kind that a {@link Reflector} keeps, as its readers see it. */
export interface Cache<T> {
  get(key: string): T | undefined;
  list(): T[];
  /** Whether the copy was complete at least once. */
  readonly synced: boolean;
}

/** Keeps a local copy of one kind, and says what changed. Never gives up: only the signal stops it. */
export class Reflector<T extends KubeObject> implements Cache<T> {
  readonly #source: Source<T>;
  readonly #options: ReflectorOptions<T>;
  readonly #store = new Map<string, T>();
  readonly #listeners: ((object: T) => void)[] = [];
  readonly #waiting: (() => void)[] = [];
  #resourceVersion: string | undefined;
  #synced = false;

  constructor(source: Source<T>, options: ReflectorOptions<T>) {
    this.#source = source;
    this.#options = options;
  }

  /** Calls `listener` with each object that came, changed or went; it may only take note of it, never throw. */
  onChange(listener: (object: T) => void): this {
    this.#listeners.push(listener);
    return this;
  }

  get(key: string): T | undefined {
    return this.#store.get(key);
  }

  list(): T[] {
    return [...this.#store.values()];
  }

  get synced(): boolean {
    return this.#synced;
  }

  /** Resolves once the copy is complete. */
  whenSynced(): Promise<void> {
    return this.#synced ? Promise.resolve() : new Promise((resolve) => this.#waiting.push(resolve));
  }

  /**
   * Takes the answer to a write of our own, so that a reader sees it before the watch brings it. Older versions and
   * objects that are gone by now are ignored.
   */
  observe(object: T): void {
    const known = this.#store.get(keyOf(object));
    if (known !== undefined && known.metadata.uid === object.metadata.uid && isNewer(object, known)) this.#put(object);
  }

  async run(signal: AbortSignal): Promise<void> {
    const stopped = () => signal.aborted; // a call, because the compiler would take the loop's test as lasting
    for (let attempt = 0; !stopped(); attempt += 1) {
      try {
        this.#resourceVersion ??= await this.#relist(signal);
        for await (const event of this.#source.watch(this.#resourceVersion, signal)) {
          attempt = 0;
          this.#take(event);
        }
      } catch (error) {
        if (!stopped()) this.#options.onError(error);
      }
      if (!stopped()) await this.#options.pause(attempt, signal); // also after a clean end: see a server that hangs up at once
    }
  }

  async #relist(signal: AbortSignal): Promise<string> {
    const { items, resourceVersion } = await this.#source.list(signal);
    const gone = new Set(this.#store.keys());
    for (const item of items) {
      gone.delete(keyOf(item));
      this.#put(item);
    }
    for (const key of gone) this.#remove(key);
    this.#synced = true;
    for (const resolve of this.#waiting.splice(0)) resolve();
    return resourceVersion;
  }

  #take(event: WatchEvent<T>): void {
    switch (event.type) {
      case 'EXPIRED':
        this.#resourceVersion = undefined;
        return;
      case 'BOOKMARK':
        this.#resourceVersion = event.resourceVersion;
        return;
      case 'DELETED':
        this.#remove(keyOf(event.object));
        break;
      case 'ADDED':
      case 'MODIFIED':
        this.#put(event.object);
    }
    this.#resourceVersion = event.object.metadata.resourceVersion ?? this.#resourceVersion;
  }

  #put(object: T): void {
    const key = keyOf(object);
    const known = this.#store.get(key);
    if (known !== undefined && !isNewer(object, known)) return; // seen already, as the answer to our own write
    const kept = this.#options.trim?.(object) ?? object;
    this.#store.set(key, kept);
    this.#tell(kept);
  }

  #remove(key: string): void {
    const known = this.#store.get(key);
    if (known === undefined) return;
    this.#store.delete(key);
    this.#tell(known);
  }

  #tell(object: T): void {
    for (const listener of this.#listeners) listener(object);
  }
}

/** Versions are numbers in every API server there is; those of two objects of one name may be compared. */
function isNewer(next: KubeObject, known: KubeObject): boolean {
  const [a, b] = [next.metadata.resourceVersion, known.metadata.resourceVersion];
  if (a === undefined || b === undefined || !/^\d+$/.test(a) || !/^\d+$/.test(b)) return a !== b;
  return BigInt(a) > BigInt(b);
}
