import { MAX_PAYLOAD_BYTES } from '../../lib/policy/nats-conf.ts';
import type { CallRecord, CheckpointMessage, Usage } from '../bus/messages.ts';

/** What a journal works with. */
export interface JournalOptions {
  readonly uid: string;
  readonly usage: () => Usage;
  /** Stores a checkpoint; called for one at a time. */
  readonly store: (checkpoint: CheckpointMessage) => Promise<void>;
  /** What an earlier attempt, or an earlier bridge of this Pod, has stored. */
  readonly earlier?: CheckpointMessage | undefined;
  /** Called when a checkpoint is too large to be stored whole: the run can't go on elsewhere then. */
  readonly onTooLarge: (bytes: number) => void;
}

const MOST_BYTES = MAX_PAYLOAD_BYTES - 4096;

/**
 * What another attempt at the run would go on from: what its agent said last, and every call since. Nothing is stored until
 * a call waits for a person; from then on, every step is stored before it is taken.
 */
export class Journal {
  readonly #options: JournalOptions;
  readonly #calls: Map<string, CallRecord>;
  readonly #asked: Set<string>;
  #state: unknown;
  #active: boolean;
  #writing: Promise<void> = Promise.resolve();
  #next: Promise<void> | undefined;

  constructor(options: JournalOptions) {
    this.#options = options;
    this.#state = options.earlier?.state;
    this.#calls = new Map(Object.entries(options.earlier?.calls ?? {}));
    this.#asked = new Set(options.earlier?.asked);
    this.#active = options.earlier !== undefined;
  }

  /** Whether everything is stored. */
  get active(): boolean {
    return this.#active;
  }

  /** Where a call stands. */
  of(id: string): CallRecord | undefined {
    return this.#calls.get(id);
  }

  /** The calls that are known. */
  get calls(): readonly (readonly [string, CallRecord])[] {
    return [...this.#calls];
  }

  /** Ids of the calls that people were asked about. */
  get asked(): ReadonlySet<string> {
    return this.#asked;
  }

  /** What the agent needs to go on; calls that were answered before are a part of it, but for those to keep. */
  checkpoint(state: unknown, keep: ReadonlySet<string>): void {
    this.#state = state;
    for (const [id, { state: stands }] of this.#calls) if (stands === 'done' && !keep.has(id)) this.#calls.delete(id);
  }

  /** A call waits for a person: from now on all is stored. Resolves when this is. */
  ask(id: string, call: Pick<CallRecord, 'tool' | 'arguments'>): Promise<void> {
    this.#active = true;
    this.#asked.add(id);
    return this.record(id, { ...call, state: 'waiting' });
  }

  /** Where a call stands from now on. Resolves when that is stored, or needs not be. */
  async record(id: string, record: CallRecord): Promise<void> {
    if (!this.#resumable && !this.#active) return; // nobody could make use of it
    if (!this.#resumable && record.state === 'done') this.#calls.delete(id);
    else this.#calls.set(id, record);
    if (this.#active) await this.store();
  }

  /** Stores what is known now. Calls that come while one is stored share the next one. */
  store(): Promise<void> {
    this.#next ??= this.#writing.then(() => {
      this.#next = undefined;
      this.#writing = this.#write();
      this.#writing.catch(() => undefined); // whoever waits for it hears of it, and so does everyone after
      return this.#writing;
    });
    this.#next.catch(() => undefined);
    return this.#next;
  }

  get #resumable(): boolean {
    return this.#state !== undefined && this.#state !== null;
  }

  async #write(): Promise<void> {
    const { uid, usage, store, onTooLarge } = this.#options;
    const base = { v: 1, uid, usage: usage(), asked: [...this.#asked] } as const;
    const whole: CheckpointMessage = {
      ...base,
      ...(this.#resumable ? { state: this.#state } : {}),
      calls: Object.fromEntries(this.#calls),
    };
    const bytes = Buffer.byteLength(JSON.stringify(whole));
    if (bytes > MOST_BYTES) onTooLarge(bytes);
    await store(bytes > MOST_BYTES ? { ...base, calls: {} } : whole);
  }
}
