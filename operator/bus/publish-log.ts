import { headers, type NatsConnection, nuid } from '@nats-io/transport-node';
import { type RunRef, runInbox, runSubject } from './subjects.ts';

/** Most messages that wait for JetStream; beyond, with the bus gone for long, the oldest are lost. */
const MOST_PENDING = 2000;

/**
 * Publishes messages of one kind in order without waiting for each. What JetStream has not confirmed is kept and sent again after a
 * reconnect, with the same message id, so that it is stored once.
 */
export class PublishLog {
  readonly #connection: NatsConnection;
  readonly #subject: string;
  readonly #confirmations: string;
  readonly #idPrefix: string;
  readonly #pending = new Map<number, string>();
  #sequence = 0;
  #onEmpty: (() => void) | undefined;

  constructor(connection: NatsConnection, run: RunRef, uid: string, concern: 'event' | 'audit') {
    this.#connection = connection;
    this.#subject = runSubject(run, concern);
    this.#confirmations = `${runInbox(run)}.stored-${concern}`;
    this.#idPrefix = `${uid}.${nuid.next()}`; // a restarted bridge counts from 1 again
    connection.subscribe(`${this.#confirmations}.*`, {
      callback: (error, message) => {
        if (error === null && (message.headers?.code ?? 0) < 400) this.#confirm(message.subject);
      },
    });
    void this.#resendAfterReconnects();
  }

  publish(message: object): void {
    this.#sequence += 1;
    if (this.#pending.size >= MOST_PENDING) this.#pending.delete(this.#pending.keys().next().value ?? 0);
    const body = JSON.stringify(message);
    this.#pending.set(this.#sequence, body);
    this.#send(this.#sequence, body);
  }

  /** Waits until everything is stored, or for `deadlineMs`. */
  async flush(deadlineMs: number): Promise<void> {
    if (this.#pending.size === 0) return;
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.#onEmpty = resolve;
      timer = setTimeout(resolve, deadlineMs);
    });
    clearTimeout(timer);
  }

  #send(sequence: number, body: string): void {
    if (this.#connection.isClosed()) return;
    const withId = headers();
    withId.set('Nats-Msg-Id', `${this.#idPrefix}.${sequence}`);
    this.#connection.publish(this.#subject, body, { reply: `${this.#confirmations}.${sequence}`, headers: withId });
  }

  #confirm(subject: string): void {
    this.#pending.delete(Number(subject.slice(this.#confirmations.length + 1)));
    if (this.#pending.size === 0) this.#onEmpty?.();
  }

  async #resendAfterReconnects(): Promise<void> {
    for await (const { type } of this.#connection.status()) {
      if (type !== 'reconnect') continue;
      for (const [sequence, body] of this.#pending) this.#send(sequence, body);
    }
  }
}
