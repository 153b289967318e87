import { headers, type Msg, type NatsConnection, PermissionViolationError } from '@nats-io/transport-node';
import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../errors.ts';
import type { Log } from '../log.ts';

const REQUEST_TIMEOUT_MS = 2000;
const LONGEST_PAUSE_MS = 250;
/** Pauses before asking anew what the run may do. */
const FIRST_ASK_MS = 250;
const LONGEST_ASK_MS = 15_000;

/** JetStream refused a message; `code` is its own number of the reason. */
export class StoreError extends Error {
  override readonly name = 'StoreError';
  readonly code: number;

  constructor(code: number, description: string) {
    super(`JetStream refused it: ${description}`);
    this.code = code;
  }
}

/** How long something is tried. */
export interface Patience {
  /** What is tried, for the log: `publish the result`. */
  readonly what: string;
  readonly log: Log;
  /** Ends the trying, with the signal's reason or the last failure. */
  readonly signal: AbortSignal;
}

/** Questions to JetStream by its own wire: loading its client would take a good part of a run's start. */
export class BridgeWire {
  readonly connection: NatsConnection;
  /** Rejects at the next reconnect: what was asked before it is not answered any more. */
  #interrupted = Promise.withResolvers<never>();
  readonly #onReconnect: (() => void)[] = [];
  /** How often we have asked anew what we may do, and whether we are about to. */
  #asked = 0;
  #asking = false;

  constructor(connection: NatsConnection) {
    this.connection = connection;
    void this.#watchReconnects();
  }

  /** Calls back after every reconnect. */
  onReconnect(callback: () => void): void {
    this.#onReconnect.push(callback);
  }

  /** The last message of a subject, by its direct get; `undefined` when there is none. Rejects when the bus is away. */
  async last(query: string): Promise<{ readonly seq: number; readonly message: Msg } | undefined> {
    const message = await this.#request(query, '');
    const code = message.headers?.code ?? 0;
    if (code === NOT_FOUND) return undefined;
    if (code >= 400) throw new Error(`JetStream answered with status ${code}`); // 503: nobody answers
    return { seq: Number(message.headers?.get('Nats-Sequence') ?? 0), message };
  }

  /** Publishes once and waits until JetStream has stored it. Returns its sequence. */
  async store(subject: string, body: string, withHeaders: Readonly<Record<string, string>>): Promise<number> {
    const ack = (await this.#request(subject, body, withHeaders)).json<{
      readonly seq?: number;
      readonly error?: { readonly err_code?: number; readonly description?: string };
    }>();
    if (ack.error === undefined) return ack.seq ?? 0;
    throw new StoreError(ack.error.err_code ?? 0, ack.error.description ?? 'no reason given');
  }

  /** Repeats until it works or the signal aborts; a failure that `final` accepts is thrown at once. */
  async persist<T>(
    action: () => Promise<T>,
    { what, log, signal }: Patience,
    final: (error: unknown) => boolean = () => false,
  ): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      signal.throwIfAborted();
      try {
        return await unlessAborted(action(), signal);
      } catch (error) {
        if (signal.aborted || final(error)) throw error;
        if (attempt % 20 === 1) log.warn(`Could not ${what}, trying again`, { attempt, because: messageOf(error) });
        await sleep(Math.min(LONGEST_PAUSE_MS, 25 * attempt), undefined, { signal }).catch(() => undefined);
      }
    }
  }

  #request(subject: string, body: string, withHeaders?: Readonly<Record<string, string>>): Promise<Msg> {
    const sent = headers();
    for (const [name, value] of Object.entries(withHeaders ?? {})) sent.set(name, value);
    const options = { timeout: REQUEST_TIMEOUT_MS, ...(withHeaders === undefined ? {} : { headers: sent }) };
    return Promise.race([this.connection.request(subject, body, options), this.#interrupted.promise]);
  }

  /**
   * Asks anew what this run may do. A controller of another version may have answered, as happens while the control plane is
   * upgraded: its word counts until the connection ends.
   */
  #askAgain(): void {
    if (this.#asking) return;
    this.#asking = true;
    const pauseMs = Math.min(LONGEST_ASK_MS, FIRST_ASK_MS * 2 ** this.#asked);
    this.#asked += 1;
    setTimeout(() => {
      this.#asking = false;
      if (!this.connection.isClosed()) this.connection.reconnect().catch(() => undefined); // it reconnects by itself then
    }, pauseMs).unref();
  }

  async #watchReconnects(): Promise<void> {
    this.#interrupted.promise.catch(() => undefined);
    for await (const status of this.connection.status()) {
      if (status.type === 'error' && status.error instanceof PermissionViolationError) this.#askAgain();
      if (status.type !== 'reconnect') continue;
      const { reject } = this.#interrupted;
      this.#interrupted = Promise.withResolvers<never>();
      this.#interrupted.promise.catch(() => undefined);
      reject(new Error('the connection was lost and is back'));
      for (const callback of this.#onReconnect) callback();
    }
  }
}

const NOT_FOUND = 404;

function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      reject(signal.reason as Error);
    };
    signal.addEventListener('abort', stop, { once: true });
    promise.then(resolve, reject).finally(() => {
      signal.removeEventListener('abort', stop);
    });
  });
}
