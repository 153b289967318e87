import type { ServerResponse } from 'node:http';
import { CUT_NOTICE } from '../../lib/api/limits.ts';
import type { AgentRun } from '../../lib/api/v1alpha1/agent-run.ts';
import type { EventListener, HeardEvent } from '../bus/event-listener.ts';
import { messageOf } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Clock } from '../runtime/clock.ts';
import type { ChatRequest } from './chat-request.ts';
import { chunk, completion, finishReason, headOf, isCut, usageChunk } from './completion.ts';
import { SseWriter } from './event-stream.ts';
import { ApiError } from './failure.ts';
import { runFailure, startFailure } from './run-failure.ts';
import type { Runs } from './runs.ts';
import { Transcript } from './transcript.ts';

/** What answers are made with. */
export interface AnswerOptions {
  readonly runs: Runs;
  readonly events: Pick<EventListener, 'listen'>;
  readonly namespace: string;
  readonly clock: Clock;
  readonly log: Log;
}

/** A request and where its answer goes. */
export interface Asked {
  readonly request: ChatRequest;
  readonly idempotencyKey: string | undefined;
  readonly response: ServerResponse;
  /** Told the run's name as soon as there is one. */
  readonly onRun: (name: string) => void;
}

/** Why a caller gets no answer: it has hung up. */
class HungUp extends Error {
  override readonly name = 'HungUp';
}

/**
 * Has a run made of a request, and answers with what comes of it. When the caller hangs up the run is cancelled, unless an
 * Idempotency-Key says that it may come back for the answer.
 *
 * @returns whether the caller was still there at the end
 */
export async function answerChat(options: AnswerOptions, asked: Asked): Promise<'answered' | 'left'> {
  const { request, response, idempotencyKey } = asked;
  const name = options.runs.nameOf(idempotencyKey);
  asked.onRun(name);
  const left = new AbortController();
  let run: AgentRun | undefined;
  const onClose = (): void => {
    if (response.writableEnded) return;
    left.abort(new HungUp('the caller has hung up'));
    if (run !== undefined && idempotencyKey === undefined) void cancel(options, run);
  };
  response.once('close', onClose);
  const start = async (): Promise<AgentRun> => {
    left.signal.throwIfAborted();
    try {
      run = await options.runs.start(name, request);
    } catch (error) {
      throw startFailure(error);
    }
    if (left.signal.aborted && idempotencyKey === undefined) await cancel(options, run);
    left.signal.throwIfAborted();
    return run;
  };
  try {
    await (request.stream
      ? stream(options, asked, { name, start, left: left.signal })
      : whole(options, asked, { start, left: left.signal }));
    return 'answered';
  } catch (error) {
    if (!(error instanceof HungUp)) throw error;
    return 'left';
  } finally {
    response.removeListener('close', onClose);
  }
}

/** The run of a request, before it is there. */
interface Coming {
  readonly name: string;
  readonly start: () => Promise<AgentRun>;
  /** Aborts when the caller hangs up. */
  readonly left: AbortSignal;
}

async function whole(
  { runs }: AnswerOptions,
  { response }: Asked,
  { start, left }: Pick<Coming, 'start' | 'left'>,
): Promise<void> {
  const last = await runs.ended(await start(), left);
  if (last.status?.phase !== 'Succeeded') throw runFailure(last);
  const text = JSON.stringify(completion(last));
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }).end(text);
}

async function stream(
  { runs, events, namespace, clock }: AnswerOptions,
  { request, response }: Asked,
  { name, start, left }: Coming,
): Promise<void> {
  // Heard before the run is there, so that nothing of it is missed; told once it is known which run of the name it is.
  const early: HeardEvent[] = [];
  let hear = (heard: HeardEvent): void => {
    early.push(heard);
  };
  const stop = await events.listen({ namespace, name }, (heard) => {
    hear(heard);
  });
  try {
    const run = await start();
    const head = headOf(run);
    const sse = new SseWriter(response, clock);
    const transcript = new Transcript();
    const say = (text: string): void => {
      if (text !== '') sse.send(chunk(head, { content: text }));
    };
    sse.send(chunk(head, { role: 'assistant', content: '' }));
    hear = (heard) => {
      if (heard.event.uid === run.metadata.uid) say(transcript.take(heard));
    };
    early.forEach(hear);
    try {
      const last = await runs.ended(run, left);
      if (last.status?.phase !== 'Succeeded') throw runFailure(last);
      const { output = '' } = last.status;
      hear = () => undefined;
      say(isCut(last) ? transcript.restOfCut(output, CUT_NOTICE) : transcript.rest(output));
      sse.send(chunk(head, {}, finishReason(last)));
      if (request.includeUsage) sse.send(usageChunk(head, last));
    } catch (error) {
      hear = () => undefined;
      sse.abandon();
      if (error instanceof HungUp) throw error;
      sse.send(bodyOf(error));
      sse.end();
      throw error;
    }
    sse.end();
  } finally {
    stop();
  }
}

/** What a caller is told whose answer has begun. */
const bodyOf = (error: unknown): object =>
  (error instanceof ApiError ? error : new ApiError(INTERNAL, { status: 500, code: 'internal_error' })).body;

/** What is said of errors that are ours. */
export const INTERNAL = 'the endpoint failed: its log says why';

async function cancel({ runs, log }: AnswerOptions, run: AgentRun): Promise<void> {
  try {
    await runs.cancel(run);
    log.info('Cancelled a run that nobody waits for', { run: run.metadata.name });
  } catch (error) {
    log.warn('Could not cancel a run that nobody waits for', { run: run.metadata.name, because: messageOf(error) });
  }
}
