import type { JetStreamClient, JsMsg } from '@nats-io/jetstream';
import { messageOf } from '../errors.ts';
import type { Log } from '../log.ts';
import { ACK_WAIT_MS } from './streams.ts';
import { CONSUMER, type RunRef, runOfSubject } from './subjects.ts';

/** What became of a message: taken, to be delivered again, or not worth another try. */
export type Outcome = 'done' | { readonly retryInMs: number } | { readonly poison: string };

/** Takes a message about a run. It may be called again for the same message, so it must be idempotent. */
export type Handler<T> = (run: RunRef, message: T) => Promise<Outcome>;

/** A stream of messages from bridges, and what becomes of them. */
export interface Feed<T> {
  readonly stream: string;
  /** What a message is called in the log: `result`. */
  readonly noun: string;
  /** Reads a message, or says in one sentence why it is none. */
  readonly parse: (text: string) => { readonly message: T } | { readonly because: string };
  readonly handle: Handler<T>;
  readonly onSettled?: (outcome: Outcome) => void;
}

/** Messages that are worked on at the same time. */
const PARALLEL = 16;
/**
 * Two of these without a word, and messages are asked for anew: among three servers the one that had the question may be
 * gone. It must be well below the time that a run without a result is given.
 */
const HEARTBEAT_MS = 1000;

/** Feeds messages to the handler until the signal aborts; rejects when the stream is lost. Acknowledges after the handler. */
export async function consume<T>(js: JetStreamClient, feed: Feed<T>, log: Log, signal: AbortSignal): Promise<void> {
  const consumer = await js.consumers.get(feed.stream, CONSUMER);
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
      if (signal.aborted) {
        message.nak(); // the next leader's
        break;
      }
      const work = settle(message, feed, log, signal).finally(() => working.delete(work));
      working.add(work);
      if (working.size >= PARALLEL) await Promise.race(working);
    }
  } finally {
    signal.removeEventListener('abort', stop);
    await messages.close();
    await Promise.all(working);
  }
}

async function settle<T>(message: JsMsg, feed: Feed<T>, log: Log, signal: AbortSignal): Promise<void> {
  const alive = setInterval(() => {
    if (!signal.aborted) message.working(); // afterwards the connection goes, and the message is the next leader's
  }, ACK_WAIT_MS / 2);
  const outcome = await outcomeOf(message, feed, log).finally(() => {
    clearInterval(alive);
  });
  feed.onSettled?.(outcome);
  if (outcome === 'done') message.ack();
  else if ('retryInMs' in outcome) message.nak(outcome.retryInMs);
  else {
    const { subject, seq } = message;
    log.warn('Gave up a message', { noun: feed.noun, subject, seq, because: outcome.poison });
    message.term(outcome.poison);
  }
}

async function outcomeOf<T>(message: JsMsg, { parse, handle, noun }: Feed<T>, log: Log): Promise<Outcome> {
  const run = runOfSubject(message.subject);
  if (run === undefined) return { poison: `subject ${message.subject} is not a run's` };
  const parsed = parse(message.string());
  if ('because' in parsed) return { poison: parsed.because };
  try {
    return await handle({ namespace: run.namespace, name: run.name }, parsed.message);
  } catch (error) {
    const retryInMs = Math.min(60_000, 1000 * 2 ** Math.min(message.info.deliveryCount - 1, 6));
    const because = messageOf(error);
    log.warn('Could not take a message, trying again', {
      noun,
      run: `${run.namespace}/${run.name}`,
      retryInMs,
      because,
    });
    return { retryInMs };
  }
}
