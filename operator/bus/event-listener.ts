import type { Msg, Subscription } from '@nats-io/transport-node';
import { setTimeout as sleep } from 'node:timers/promises';
import { connectBus, type NatsConnection } from './connect.ts';
import { messageOf } from '../errors.ts';
import type { Log } from '../log.ts';
import type { RunEvent } from './messages.ts';
import { type RunRef, runSubject } from './subjects.ts';

/** An event with its place: each source, which is one bridge at work on the run, counts its own from 1, leaving none out. */
export interface HeardEvent {
  readonly event: RunEvent;
  readonly source: string;
  readonly sequence: number;
}

/** How a web endpoint reaches the bus. */
export interface EventListenerOptions {
  readonly url: string;
  readonly name: string;
  /** Reads the projected token; asked at every (re)connect, because it rotates. */
  readonly token: () => string;
  readonly log: Log;
  readonly signal: AbortSignal;
}

/** A caller waits no longer for a bus that is down: what it would have heard it gets with the answer. */
const PATIENCE_MS = 2000;

/** Hears what happens in runs. Works from the moment it is made: it connects in the background, and again. */
export class EventListener {
  readonly #options: EventListenerOptions;
  readonly #connection: Promise<NatsConnection>;

  constructor(options: EventListenerOptions) {
    const { url, name, token, log, signal } = options;
    this.#options = options;
    this.#connection = connectBus({ url, name, credentials: { token }, log, signal, reconnectMs: 400 });
    this.#connection.catch(() => undefined); // rejects only when the signal aborts
    signal.addEventListener('abort', () => void this.#close(), { once: true });
  }

  /**
   * Hears every event of a run from the moment this resolves, until the returned function is called. Events may come twice
   * after a reconnect, and some not at all: `sequence` tells. When the bus can't be reached nothing is heard.
   */
  async listen(run: RunRef, onEvent: (heard: HeardEvent) => void): Promise<() => void> {
    const connection = await this.#reached();
    if (connection === undefined) return () => undefined;
    const subscription = connection.subscribe(runSubject(run, 'event'), {
      callback: (error, message) => {
        const heard = error === null ? heardIn(message) : undefined;
        if (heard !== undefined) onEvent(heard);
      },
    });
    // NATS has the subscription once it has answered what was sent after it.
    const known = connection.flush().then(
      () => true,
      (error: unknown) => this.#missed(run, messageOf(error)),
    );
    if (!(await Promise.race([known, late()]))) this.#missed(run, 'it does not answer');
    return () => {
      end(subscription);
    };
  }

  async #reached(): Promise<NatsConnection | undefined> {
    const none = late().then(() => undefined);
    const connection = await Promise.race([this.#connection.catch(() => undefined), none]);
    if (connection === undefined) this.#options.log.warn('The bus is not there: the answer comes in one piece');
    return connection;
  }

  #missed({ namespace, name }: RunRef, because: string): true {
    this.#options.log.warn('Might not hear a run', { run: `${namespace}/${name}`, because });
    return true;
  }

  async #close(): Promise<void> {
    const connection = await this.#connection.catch(() => undefined);
    await connection?.close();
  }
}

const late = (): Promise<false> => sleep(PATIENCE_MS, false, { ref: false });

function end(subscription: Subscription): void {
  if (!subscription.isClosed()) subscription.unsubscribe();
}

/** The message id ends in the sequence; what has none was not published by a bridge. */
function heardIn(message: Msg): HeardEvent | undefined {
  const [, source, digits] = /^(.+)\.(\d+)$/.exec(message.headers?.get('Nats-Msg-Id') ?? '') ?? [];
  if (source === undefined || digits === undefined) return undefined;
  try {
    return { event: message.json<RunEvent>(), source, sequence: Number(digits) };
  } catch {
    return undefined;
  }
}
