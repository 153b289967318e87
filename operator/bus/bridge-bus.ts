import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { BridgeWire, type Patience } from './bridge-wire.ts';
import { CheckpointStore } from './checkpoint-store.ts';
import { connectBus, type NatsConnection } from './connect.ts';
import { messageOf } from '../errors.ts';
import type { Log } from '../log.ts';
import type {
  ApprovalMessage, AuditRecord, CheckpointMessage, ControlMessage, ResultMessage, RunEvent, TaskMessage,
} from './messages.ts'; // prettier-ignore
import { PublishLog } from './publish-log.ts';
import { lastQuery, type RunRef, runInbox, runSubject } from './subjects.ts';

export { SupersededError } from './checkpoint-store.ts';

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

const LONGEST_PAUSE_MS = 250;

/** A bridge's end of the bus: what the controller tells it, and what it tells about its run. */
export class BridgeBus {
  readonly #wire: BridgeWire;
  readonly #options: BridgeBusOptions;
  readonly #events: PublishLog;
  readonly #audits: PublishLog;
  readonly #checkpoints: CheckpointStore;
  /** In our message ids: JetStream drops a second message of an id, so nobody may know ours before they are used. */
  readonly #nonce = randomUUID();

  private constructor(connection: NatsConnection, options: BridgeBusOptions) {
    const { run, uid } = options;
    this.#wire = new BridgeWire(connection);
    this.#options = options;
    this.#events = new PublishLog(connection, run, uid, 'event');
    this.#audits = new PublishLog(connection, run, uid, 'audit');
    this.#checkpoints = new CheckpointStore(this.#wire, run, uid);
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
    for (let count = 1; ; count += 1) {
      signal.throwIfAborted();
      try {
        const task = (await this.#wire.last(lastQuery(run, 'task')))?.message.json<TaskMessage>();
        if (task?.uid === uid) return task;
        if (count === 20) log.info('Waiting for the task', { found: task?.uid ?? 'none' });
      } catch (error) {
        if (count % 20 === 1) log.warn('Could not read the task, trying again', { because: messageOf(error) });
      }
      await sleep(Math.min(LONGEST_PAUSE_MS, 10 * count), undefined, { signal });
    }
  }

  /**
   * What holds for the run now; `undefined` while the task's own rules do. Waits while the bus is away, so that nothing is
   * decided by rules that may have changed since.
   */
  async getControl(signal = this.#options.signal): Promise<ControlMessage | undefined> {
    const { run, uid } = this.#options;
    const patience = this.#patience('read the rules', signal);
    const last = await this.#wire.persist(() => this.#wire.last(lastQuery(run, 'control')), patience);
    const control = last?.message.json<ControlMessage>();
    return control?.uid === uid ? control : undefined;
  }

  /** Hears what the controller says from now on, and after each reconnect what was said meanwhile. */
  onControl(hear: (control: ControlMessage) => void): void {
    const { run, uid, log } = this.#options;
    let refused = false; // then the client has given up the subscription
    const subscribe = (): void => {
      refused = false;
      this.#wire.connection.subscribe(runSubject(run, 'control'), {
        callback: (error, message) => {
          if (error !== null) {
            refused = true;
            return;
          }
          const control = message.json<ControlMessage>();
          if (control.uid === uid) hear(control);
        },
      });
    };
    subscribe();
    this.#wire.onReconnect(() => {
      if (refused) subscribe();
      this.getControl().then(
        (control) => {
          if (control !== undefined) hear(control);
        },
        (error: unknown) => {
          log.info('Stopped reading the rules', { because: messageOf(error) });
        },
      );
    });
  }

  /** Publishes an event without waiting. It survives a restart of NATS; `close` waits until it is stored. */
  publishEvent(event: RunEvent): void {
    this.#events.publish(event);
  }

  /** Publishes an audit record, as {@link publishEvent} does. */
  publishAudit(record: AuditRecord): void {
    this.#audits.publish(record);
  }

  /** Asks people about a call: until JetStream has stored it, or the signal aborts. Repeating it is harmless. */
  async publishApproval(approval: ApprovalMessage, signal = this.#options.signal): Promise<void> {
    const subject = runSubject(this.#options.run, 'approval');
    const withHeaders = { 'Nats-Msg-Id': `${approval.uid}.${this.#nonce}.${approval.call}.approval` };
    const body = JSON.stringify(approval);
    await this.#wire.persist(() => this.#wire.store(subject, body, withHeaders), this.#patience('ask', signal));
  }

  /** What an earlier attempt stored; `undefined` when there is nothing. */
  getCheckpoint(signal = this.#options.signal): Promise<CheckpointMessage | undefined> {
    return this.#checkpoints.read(this.#patience('read the checkpoint', signal));
  }

  /** Stores where the run stands, one at a time. @throws SupersededError when another attempt has taken over */
  storeCheckpoint(checkpoint: CheckpointMessage, signal = this.#options.signal): Promise<void> {
    return this.#checkpoints.store(checkpoint, this.#patience('store the checkpoint', signal));
  }

  /** Publishes the result until JetStream has stored it; rejects after `deadlineMs`. Repeating it is harmless. */
  async publishResult(result: ResultMessage, deadlineMs: number): Promise<void> {
    const subject = runSubject(this.#options.run, 'result');
    const withHeaders = { 'Nats-Msg-Id': `${result.uid}.${this.#nonce}.result` };
    const body = JSON.stringify(result);
    const patience = this.#patience('publish the result', AbortSignal.timeout(deadlineMs));
    try {
      await this.#wire.persist(() => this.#wire.store(subject, body, withHeaders), patience);
    } catch (error) {
      const message = `result not published: the bus did not take it in ${deadlineMs} ms: ${messageOf(error)}`;
      throw new Error(message, { cause: error });
    }
  }

  /** Waits up to `deadlineMs` for the events and records that are still on their way, then disconnects. */
  async close(deadlineMs = 2000): Promise<void> {
    await Promise.all([this.#events.flush(deadlineMs), this.#audits.flush(deadlineMs)]);
    await this.#wire.connection.close();
  }

  #patience(what: string, signal: AbortSignal): Patience {
    return { what, log: this.#options.log, signal };
  }
}
