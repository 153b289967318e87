import { jetstream } from '@nats-io/jetstream';
import { setTimeout as sleep } from 'node:timers/promises';
import { answerCallout, type CalloutOptions } from './callout.ts';
import { connectBus, type NatsConnection } from './connect.ts';
import { consume, type Feed, type Handler, type Outcome } from './consume.ts';
import { messageOf } from '../errors.ts';
import type { Log } from '../log.ts';
import { busConnected, busResults } from '../metrics/runs.ts';
import type {
  ApprovalMessage, AuditRecord, CheckpointMessage, ControlMessage, ResultMessage, TaskMessage,
} from './messages.ts'; // prettier-ignore
import { parseApproval } from './parse-approval.ts';
import { parseAudit } from './parse-audit.ts';
import { parseResult } from './parse-result.ts';
import { ensureStreams } from './streams.ts';
import { lastQuery, type RunConcern, type RunRef, runSubject, STREAMS } from './subjects.ts';

export type { Handler, Outcome } from './consume.ts';

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

/** What is kept no longer than the run itself. Audit records stay: they tell of runs that are gone. */
const FORGOTTEN = ['task', 'control', 'event', 'result', 'approval', 'checkpoint'] as const;
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
  publishTask(run: RunRef, task: TaskMessage): Promise<void> {
    return this.#publish(run, 'task', task);
  }

  /** Tells a run's bridge what holds from now on. The newest replaces what was there. */
  publishControl(run: RunRef, control: ControlMessage): Promise<void> {
    return this.#publish(run, 'control', control);
  }

  /** Where a run's next attempt would go on; `undefined` when nothing was stored. */
  async getCheckpoint(run: RunRef): Promise<CheckpointMessage | undefined> {
    const connection = await this.#reached();
    const answer = await connection.request(lastQuery(run, 'checkpoint'), '', { timeout: PATIENCE_MS });
    return (answer.headers?.code ?? 0) >= 400 ? undefined : answer.json<CheckpointMessage>();
  }

  /** Removes everything the bus keeps about a run but its audit records. Safe to repeat. */
  async forget(run: RunRef): Promise<void> {
    const { streams } = await jetstream(await this.#reached(), { timeout: PATIENCE_MS }).jetstreamManager(false);
    await Promise.all(
      FORGOTTEN.map((concern) => streams.purge(STREAMS[concern], { filter: runSubject(run, concern) })),
    );
  }

  /**
   * Feeds every result to `handle` until the signal aborts, and acknowledges it after `handle` has done its work.
   * Delivery is at least once, also of what was published while no controller ran.
   */
  consumeResults(handle: Handler<ResultMessage>, signal: AbortSignal): Promise<void> {
    const onSettled = (outcome: Outcome): void => {
      busResults.add({ outcome: outcome === 'done' ? 'recorded' : 'retryInMs' in outcome ? 'retried' : 'given_up' });
    };
    return this.#consume({ stream: STREAMS.result, noun: 'result', parse: parseResult, handle, onSettled }, signal);
  }

  /** Feeds every call that waits for a person to `handle`, as {@link consumeResults} does. */
  consumeApprovals(handle: Handler<ApprovalMessage>, signal: AbortSignal): Promise<void> {
    return this.#consume({ stream: STREAMS.approval, noun: 'approval', parse: parseApproval, handle }, signal);
  }

  /** Feeds every audit record to `handle`, as {@link consumeResults} does. */
  consumeAudit(handle: Handler<AuditRecord>, signal: AbortSignal): Promise<void> {
    return this.#consume({ stream: STREAMS.audit, noun: 'audit record', parse: parseAudit, handle }, signal);
  }

  async #consume<T>(feed: Feed<T>, signal: AbortSignal): Promise<void> {
    const { log, signal: end } = this.#options;
    const stopped = (): boolean => signal.aborted || end.aborted;
    while (!stopped()) {
      try {
        await consume(await this.#streams(), feed, log, signal);
      } catch (error) {
        if (!stopped()) log.warn('Lost a stream, trying again', { stream: feed.stream, because: messageOf(error) });
      }
      if (!stopped()) await sleep(500, undefined, { signal }).catch(() => undefined);
    }
  }

  async #publish(run: RunRef, concern: RunConcern, message: object): Promise<void> {
    const connection = await this.#reached();
    const publish = () =>
      jetstream(connection, { timeout: PATIENCE_MS }).publish(runSubject(run, concern), JSON.stringify(message));
    try {
      await publish();
    } catch {
      await this.#streams(); // missing right after the first start, or when NATS has lost its disk
      await publish();
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
