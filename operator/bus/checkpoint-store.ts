import { nuid } from '@nats-io/transport-node';
import { type BridgeWire, type Patience, StoreError } from './bridge-wire.ts';
import type { CheckpointMessage } from './messages.ts';
import { lastQuery, type RunRef, runSubject } from './subjects.ts';

/** Another attempt of the same run has stored its checkpoint since: this one must not do anything any more. */
export class SupersededError extends Error {
  override readonly name = 'SupersededError';

  constructor() {
    super('another attempt at the run has taken over');
  }
}

/** JetStream's "wrong last sequence". */
const WRONG_SEQUENCE = 10_071;

/**
 * The checkpoint of one run. Every write names the one before it, so that of two attempts, both of which take themselves
 * for the only one, one is stopped before its next step.
 */
export class CheckpointStore {
  readonly #wire: BridgeWire;
  readonly #run: RunRef;
  readonly #uid: string;
  /** Sequence of what we read or stored last; `undefined` before either, 0 where there was nothing. */
  #seq: number | undefined;
  readonly #writer = nuid.next();
  #writes = 0;

  constructor(wire: BridgeWire, run: RunRef, uid: string) {
    this.#wire = wire;
    this.#run = run;
    this.#uid = uid;
  }

  /** What the attempt before this one stored; `undefined` when there is none, or only one of an earlier run of this name. */
  async read(patience: Patience): Promise<CheckpointMessage | undefined> {
    const last = await this.#wire.persist(() => this.#wire.last(lastQuery(this.#run, 'checkpoint')), patience);
    this.#seq = last?.seq ?? 0;
    const checkpoint = last?.message.json<CheckpointMessage>();
    return checkpoint?.uid === this.#uid ? checkpoint : undefined;
  }

  /** Stores it; one at a time. @throws SupersededError */
  async store(checkpoint: CheckpointMessage, patience: Patience): Promise<void> {
    if (this.#seq === undefined) await this.read(patience);
    this.#writes += 1;
    const withHeaders = {
      // The same at every try: one whose confirmation was lost is not stored again.
      'Nats-Msg-Id': `${this.#uid}.${this.#writer}.${this.#writes}`,
      'Nats-Expected-Last-Subject-Sequence': String(this.#seq),
    };
    const body = JSON.stringify(checkpoint);
    const subject = runSubject(this.#run, 'checkpoint');
    const isWrong = (error: unknown): boolean => error instanceof StoreError && error.code === WRONG_SEQUENCE;
    try {
      this.#seq = await this.#wire.persist(() => this.#wire.store(subject, body, withHeaders), patience, isWrong);
    } catch (error) {
      if (!isWrong(error)) throw error;
      this.#seq = await this.#own(withHeaders['Nats-Msg-Id'], patience);
    }
  }

  /** The sequence of what is stored, if that is the message with this id: JetStream forgets ids after two minutes. */
  async #own(id: string, patience: Patience): Promise<number> {
    const last = await this.#wire.persist(() => this.#wire.last(lastQuery(this.#run, 'checkpoint')), patience);
    if (last?.message.headers?.get('Nats-Msg-Id') !== id) throw new SupersededError();
    return last.seq;
  }
}
