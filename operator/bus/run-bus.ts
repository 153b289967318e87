import { jetstream, type JsMsg } from '@nats-io/jetstream';
import { setTimeout as sleep } from 'node:timers/promises';
import { answerCallout, type CalloutOptions } from './callout.ts';
import { connectBus, type NatsConnection } from './connect.ts';
import { messageOf } from '../errors.ts';
import type { Log } from '../log.ts';
import { busConnected, busResults } from '../metrics/runs.ts';
import type { ResultMessage, TaskMessage } from './messages.ts';
import { parseResult } from './parse-result.ts';
import { ensureStreams } from './streams.ts';
import { RESULT_CONSUMER, type RunRef, runOfSubject, runSubject, STREAMS } from './subjects.ts';

/** What became of a result: recorded, to be delivered again, or not worth another try. */
export type Outcome = 'done' | { readonly retryInMs: number } | { readonly poison: string };

/** Records a result. It may be called again for the same result, so it must be idempotent. */
export type ResultHandler = (run: RunRef, result: ResultMessage) => Promise<Outcome>;

/** How the controller reaches the bus. */
export interface RunBusOptions {
  readonly url: string;
  readonly controllerSeed: string;
  /** Number of servers of NATS that keep each message. Left out: one. */
  readonly replicas?: number;
  readonly log: Log;
  readonly signal: AbortSignal;
  /** When given, this process answers the auth callout from its first connection on. */
  readonly callout?: Omit<CalloutOptions, 'log'>;
}

/** Results that are worked on at the same time. */
const PARALLEL = 16;
/**
 * Two of these without a word, and results are asked for anew: among three servers the one that had the question may be
 * gone. It must be well below the time that a run without a result is given.
 */
const HEARTBEAT_MS = 1000;
/** How long a caller waits for a bus that is down; its own retry comes after that. */
const PATIENCE_MS = 5000;

/**
 * The controller's end of the bus. Works from the moment it is made: it connects in the background, makes the streams,
 * and survives every restart of NATS. Calls that NATS can't serve reject after a few seconds and may be repeated.
 */
export class RunBus {
  readonly #options: RunBusOptions;
  readonly #connection: Promise<NatsConnection>;
  #ready = false;
  #connected = false;

  constructor(options: RunBusOptions) {
    this.#options = options;
    busConnected.set(0, {});
    this.#connection = this.#connect();
    this.#connection.catch(() => undefined); // rejects only when the signal aborts; callers get it too
    options.signal.addEventListener('abort', () => void this.#close(), { once: true });
  }

  /** Whether the bus has been reached and its streams exist: what a readiness probe asks. */
  get ready(): boolean {
    return this.#ready;
  }

  /** Whether the bus can be heard right now. */
  get connected(): boolean {
    return this.#connected;
  }

  /** Publishes the task of a run. Repeating it is harmless: the newest replaces what was there. */
  async publishTask(run: RunRef, task: TaskMessage): Promise<void> {
    const connection = await this.#reached();
    const publish = () =>
      jetstream(connection, { timeout: PATIENCE_MS }).publish(runSubject(run, 'task'), JSON.stringify(task), {
        msgID: `${task.uid}.task`,
      });
    try {
      await publish();
    } catch {
      await this.#streams(); // missing right after the first start, or when NATS has lost its disk
      await publish();
    }
  }

  /** Removes everything the bus keeps about a run. Safe to repeat. */
  async forget(run: RunRef): Promise<void> {
    const { streams } = await jetstream(await this.#reached(), { timeout: PATIENCE_MS }).jetstreamManager(false);
    await Promise.all(
      (['task', 'event', 'result'] as const).map((concern) =>
        streams.purge(STREAMS[concern], { filter: runSubject(run, concern) }),
      ),
    );
  }

  /**
   * Feeds every result to `handle` until the signal aborts, and acknowledges it after `handle` has done its work.
   * Delivery is at least once, also of what was published while no controller ran.
   */
  async consumeResults(handle: ResultHandler, signal: AbortSignal): Promise<void> {
    const stopped = (): boolean => signal.aborted || this.#options.signal.aborted;
    while (!stopped()) {
      try {
        await this.#consume(handle, signal);
      } catch (error) {
        if (!stopped()) this.#options.log.warn('Lost the results, trying again', { because: messageOf(error) });
      }
      if (!stopped()) await sleep(500, undefined, { signal }).catch(() => undefined);
    }
  }

  async #consume(handle: ResultHandler, signal: AbortSignal): Promise<void> {
    const js = await this.#streams();
    const consumer = await js.consumers.get(STREAMS.result, RESULT_CONSUMER);
    const messages = await consumer.consume({
      max_messages: PARALLEL * 2,
      idle_heartbeat: HEARTBEAT_MS,
      expires: 30_000,
      abort_on_missing_resource: true, // so that a stream that is gone is made again
    });
    const stop = (): void => void messages.close();
    signal.addEventListener('abort', stop, { once: true });
    const working = new Set<Promise<void>>();
    try {
      for await (const message of messages) {
        if (signal.aborted) break;
        const work = this.#settle(message, handle).finally(() => working.delete(work));
        working.add(work);
        if (working.size >= PARALLEL) await Promise.race(working);
      }
    } finally {
      signal.removeEventListener('abort', stop);
      await messages.close();
      await Promise.all(working);
    }
  }

  async #settle(message: JsMsg, handle: ResultHandler): Promise<void> {
    const outcome = await this.#outcome(message, handle);
    if (outcome === 'done') {
      busResults.add({ outcome: 'recorded' });
      message.ack();
    } else if ('retryInMs' in outcome) {
      busResults.add({ outcome: 'retried' });
      message.nak(outcome.retryInMs);
    } else {
      busResults.add({ outcome: 'given_up' });
      this.#options.log.warn('Gave up a result', {
        subject: message.subject,
        seq: message.seq,
        because: outcome.poison,
      });
      message.term(outcome.poison);
    }
  }

  async #outcome(message: JsMsg, handle: ResultHandler): Promise<Outcome> {
    const run = runOfSubject(message.subject);
    if (run === undefined) return { poison: `subject ${message.subject} is not a run's` };
    const result = parseResult(message.string());
    if ('because' in result) return { poison: result.because };
    try {
      return await handle({ namespace: run.namespace, name: run.name }, result.message);
    } catch (error) {
      const retryInMs = Math.min(60_000, 1000 * 2 ** Math.min(message.info.deliveryCount - 1, 6));
      this.#options.log.warn('Could not record a result, trying again', {
        run: `${run.namespace}/${run.name}`,
        retryInMs,
        because: messageOf(error),
      });
      return { retryInMs };
    }
  }

  async #connect(): Promise<NatsConnection> {
    const { url, controllerSeed, log, signal, callout } = this.#options;
    const credentials = { seed: controllerSeed };
    const onChange = (connected: boolean) => {
      this.#connected = connected;
      busConnected.set(Number(connected), {});
    };
    const connection = await connectBus({
      url,
      name: 'controller',
      credentials,
      log,
      signal,
      reconnectMs: 50,
      onChange,
    });
    if (callout !== undefined) answerCallout(connection, { ...callout, log });
    void this.#prepare(connection);
    return connection;
  }

  /** Makes the streams, however often it takes. */
  async #prepare(connection: NatsConnection): Promise<void> {
    const { log, signal } = this.#options;
    const stopped = (): boolean => signal.aborted;
    while (!stopped() && !this.#ready) {
      try {
        await ensureStreams(await jetstream(connection).jetstreamManager(false), this.#options.replicas ?? 1);
        this.#ready = true;
      } catch (error) {
        if (stopped()) return;
        log.warn('Could not make the streams, trying again', { because: messageOf(error) });
        await sleep(500, undefined, { signal }).catch(() => undefined);
      }
    }
  }

  /** JetStream, with its streams there: also after NATS has lost its disk. */
  async #streams(): Promise<ReturnType<typeof jetstream>> {
    const js = jetstream(await this.#reached(), { timeout: PATIENCE_MS });
    await ensureStreams(await js.jetstreamManager(false), this.#options.replicas ?? 1);
    return js;
  }

  async #reached(): Promise<NatsConnection> {
    const expired = sleep(PATIENCE_MS, undefined, { ref: false });
    const connection = await Promise.race([this.#connection, expired]);
    if (connection === undefined) {
      throw new Error(`bus not reached: no connection to ${this.#options.url} within ${PATIENCE_MS / 1000} s`);
    }
    return connection;
  }

  async #close(): Promise<void> {
    this.#ready = false;
    const connection = await this.#connection.catch(() => undefined);
    if (connection === undefined) return;
    // Drained, so that acknowledgements on their way arrive; closed in any case, or it would go on connecting.
    await Promise.race([connection.drain().catch(() => undefined), sleep(1000)]);
    await connection.close();
  }
}
