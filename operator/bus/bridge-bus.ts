import { headers, type Msg } from '@nats-io/transport-node';
import { setTimeout as sleep } from 'node:timers/promises';
import { connectBus, type NatsConnection } from './connect.ts';
import { messageOf } from '../errors.ts';
import { EventLog } from './event-log.ts';
import type { Log } from '../log.ts';
import type { ResultMessage, RunEvent, TaskMessage } from './messages.ts';
import { type RunRef, runInbox, runSubject, taskQuery } from './subjects.ts';

/** How a run's bridge reaches the bus. */
export interface BridgeBusOptions {
  readonly url: string;
  readonly run: RunRef;
  /** UID of the AgentRun: what an earlier run of the same name left behind is not taken. */
  readonly uid: string;
  /** Reads the projected token; asked at every (re)connect, because it rotates. */
  readonly token: () => string;
  readonly log: Log;
  readonly signal: AbortSignal;
}

const REQUEST_TIMEOUT_MS = 2000;
const LONGEST_PAUSE_MS = 250;

/**
 * A bridge's end of the bus: one task in, events and one result out. It speaks JetStream's wire itself, because loading
 * the JetStream client would take a good part of a run's start.
 */
export class BridgeBus {
  readonly #connection: NatsConnection;
  readonly #options: BridgeBusOptions;
  readonly #events: EventLog;
  /** Rejects at the next reconnect: what was asked before it is not answered any more. */
  #interrupted = Promise.withResolvers<never>();

  private constructor(connection: NatsConnection, options: BridgeBusOptions) {
    this.#connection = connection;
    this.#options = options;
    this.#events = new EventLog(connection, options.run, options.uid);
    void this.#watchReconnects();
  }

  /** Connects, however long it takes; rejects only when the signal aborts. */
  static async connect(options: BridgeBusOptions): Promise<BridgeBus> {
    const { url, run, token, log, signal } = options;
    const connection = await connectBus({
      url,
      name: `bridge ${run.namespace}/${run.name}`,
      credentials: { token },
      inboxPrefix: runInbox(run),
      log,
      signal,
      reconnectMs: 400,
    });
    return new BridgeBus(connection, options);
  }

  /** The run's task; waits until the controller has published it. */
  async getTask(): Promise<TaskMessage> {
    const { run, uid, signal, log } = this.#options;
    for (let attempt = 1; ; attempt += 1) {
      signal.throwIfAborted();
      try {
        const task = taskOf(await this.#request(taskQuery(run), ''));
        if (task?.uid === uid) return task;
        if (attempt === 20) log.info('Waiting for the task', { found: task?.uid ?? 'none' });
      } catch (error) {
        if (attempt % 20 === 1) log.warn('Could not read the task, trying again', { because: messageOf(error) });
      }
      await sleep(Math.min(LONGEST_PAUSE_MS, 10 * attempt), undefined, { signal });
    }
  }

  /** Publishes an event without waiting. It survives a restart of NATS; `close` waits until it is stored. */
  publishEvent(event: RunEvent): void {
    this.#events.publish(event);
  }

  /** Publishes the result until JetStream has stored it; rejects after `deadlineMs`. Repeating it is harmless. */
  async publishResult(result: ResultMessage, deadlineMs: number): Promise<void> {
    const expired = AbortSignal.timeout(deadlineMs);
    const body = JSON.stringify(result);
    for (let attempt = 1; ; attempt += 1) {
      try {
        checkStored(await this.#request(runSubject(this.#options.run, 'result'), body, `${result.uid}.result`));
        return;
      } catch (error) {
        if (expired.aborted) {
          throw new Error(`result not published: the bus did not take it in ${deadlineMs} ms: ${messageOf(error)}`, {
            cause: error,
          });
        }
        this.#options.log.warn('Could not publish the result, trying again', { attempt, because: messageOf(error) });
        await sleep(Math.min(LONGEST_PAUSE_MS, 25 * attempt));
      }
    }
  }

  /** Waits up to `deadlineMs` for the events that are still on their way, then disconnects. */
  async close(deadlineMs = 2000): Promise<void> {
    await this.#events.flush(deadlineMs);
    await this.#connection.close();
  }

  #request(subject: string, body: string, msgId?: string): Promise<Msg> {
    const withId = headers();
    if (msgId !== undefined) withId.set('Nats-Msg-Id', msgId);
    const options = { timeout: REQUEST_TIMEOUT_MS, ...(msgId === undefined ? {} : { headers: withId }) };
    return Promise.race([this.#connection.request(subject, body, options), this.#interrupted.promise]);
  }

  async #watchReconnects(): Promise<void> {
    this.#interrupted.promise.catch(() => undefined);
    for await (const { type } of this.#connection.status()) {
      if (type !== 'reconnect') continue;
      const { reject } = this.#interrupted;
      this.#interrupted = Promise.withResolvers<never>();
      this.#interrupted.promise.catch(() => undefined);
      reject(new Error('the connection was lost and is back'));
    }
  }
}

/** A direct get answers with the message, or with an empty one that has a status. */
function taskOf(answer: Msg): TaskMessage | undefined {
  if (answer.headers !== undefined && answer.headers.code >= 400) return undefined;
  return answer.json<TaskMessage>();
}

function checkStored(answer: Msg): void {
  const ack = answer.json<{ error?: { description?: string } }>();
  if (ack.error !== undefined) throw new Error(`JetStream refused it: ${ack.error.description ?? 'no reason given'}`);
}
