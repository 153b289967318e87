import { createParser } from 'eventsource-parser';
import { Agent, type IncomingMessage, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../errors.ts';
import { AnswerBuilder, type ChatAnswer, type ChatChunk } from './chat.ts';

/** Where the model is, and what hears of it. */
export interface ModelOptions {
  readonly baseUrl: string;
  readonly apiKey: string;
  readonly signal: AbortSignal;
  /** Hears the answer while it is written. */
  readonly onText: (text: string) => void;
  /** Hears that a call failed and is tried again. */
  readonly onRetry: (because: string, pauseMs: number) => void;
  /** First pause between two tries; 500 ms. */
  readonly pauseMs?: number;
}

/** Tries of one model call. */
const TRIES = 3;
const LONGEST_PAUSE_MS = 30_000;
/** How long an answer that said it is complete may stay open. */
const LINGER_MS = 500;

/** A model call that failed; asking again helps only when `pauseMs` is there. */
class ModelError extends Error {
  override readonly name = 'ModelError';
  readonly retry: boolean;
  readonly pauseMs: number | undefined;

  constructor(message: string, retry: boolean, pauseMs?: number) {
    super(message);
    this.retry = retry;
    this.pauseMs = pauseMs;
  }
}

/** Asks a model that speaks OpenAI's Chat Completions, over plain HTTP to the bridge. */
export class Model {
  readonly #options: ModelOptions;
  readonly #agent = new Agent({ keepAlive: true });

  constructor(options: ModelOptions) {
    if (!options.baseUrl.startsWith('http://')) {
      throw new Error(
        `OPENAI_BASE_URL: expected a URL that starts with http://, the bridge's, got '${options.baseUrl}'`,
      );
    }
    this.#options = options;
  }

  /** Sends a request's body and reads the answer; rejects with one sentence when all tries failed. */
  async ask(body: string): Promise<ChatAnswer> {
    const { signal, onRetry, pauseMs = 500 } = this.#options;
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#try(body);
      } catch (error) {
        signal.throwIfAborted();
        const { retry, pauseMs: wanted } = error instanceof ModelError ? error : new ModelError('', true);
        const pause = wanted ?? pauseMs * 2 ** (attempt - 1);
        if (!retry || attempt >= TRIES || pause > LONGEST_PAUSE_MS) throw error;
        onRetry(messageOf(error), pause);
        await sleep(pause, undefined, { signal });
      }
    }
  }

  close(): void {
    this.#agent.destroy();
  }

  async #try(body: string): Promise<ChatAnswer> {
    const response = await this.#post(body);
    const status = response.statusCode ?? 0;
    if (status >= 400) throw refusal(response, await textOf(response));
    const streamed = response.headers['content-type']?.startsWith('text/event-stream') === true;
    return streamed ? this.#readStream(response) : this.#readWhole(await textOf(response));
  }

  #post(body: string): Promise<IncomingMessage> {
    const { baseUrl, apiKey, signal } = this.#options;
    return new Promise((resolve, reject) => {
      const outgoing = request(
        `${baseUrl.replace(/\/$/, '')}/chat/completions`,
        {
          method: 'POST',
          agent: this.#agent,
          signal,
          headers: {
            'content-type': 'application/json',
            accept: 'text/event-stream',
            authorization: `Bearer ${apiKey}`,
            'content-length': Buffer.byteLength(body),
          },
        },
        resolve,
      );
      outgoing.on('error', (error) => {
        reject(new ModelError(`the model could not be reached: ${messageOf(error)}`, true));
      });
      outgoing.end(body);
    });
  }

  async #readStream(response: IncomingMessage): Promise<ChatAnswer> {
    const builder = new AnswerBuilder();
    const seen: { end?: true; failure?: ModelError } = {};
    const parser = createParser({
      onEvent: ({ data }) => {
        if (data === '[DONE]') {
          seen.end = true;
          // Some servers keep the connection open after the end; most close, and then it can be used again.
          setTimeout(() => response.destroy(), LINGER_MS).unref();
        } else seen.failure ??= this.#add(builder, data);
      },
    });
    response.setEncoding('utf8');
    try {
      for await (const text of response as AsyncIterable<string>) {
        parser.feed(text);
        if (seen.failure !== undefined) throw seen.failure;
      }
    } catch (error) {
      if (error instanceof ModelError) throw error;
      if (seen.end !== true) throw brokenOff(builder, messageOf(error));
    }
    if (seen.end !== true && builder.answer.finishReason === undefined) {
      throw brokenOff(builder, 'the stream ended without its end');
    }
    return builder.answer;
  }

  /** Takes a chunk; returns what is wrong with it, if anything. */
  #add(builder: AnswerBuilder, data: string): ModelError | undefined {
    let chunk: ChatChunk;
    try {
      chunk = JSON.parse(data) as ChatChunk;
    } catch {
      return new ModelError(`the model's answer is not JSON: ${data.slice(0, 100)}`, true);
    }
    if (chunk.error !== undefined && chunk.error !== null) {
      return new ModelError(`the model failed while it answered: ${errorText(chunk) ?? data.slice(0, 500)}`, true);
    }
    const text = builder.add(chunk);
    if (text !== '') this.#options.onText(text);
    return undefined;
  }

  /** For servers that ignore that a stream was asked for. */
  #readWhole(body: string): ChatAnswer {
    const builder = new AnswerBuilder();
    const failure = this.#add(builder, body);
    if (failure !== undefined) throw failure;
    return builder.answer;
  }
}

function brokenOff(builder: AnswerBuilder, because: string): ModelError {
  return new ModelError(
    `the model's answer broke off after ${builder.answer.content.length} characters: ${because}`,
    true,
  );
}

function refusal({ statusCode: status = 0, headers }: IncomingMessage, body: string): ModelError {
  let said: string | undefined;
  try {
    said = errorText(JSON.parse(body) as { readonly error?: unknown });
  } catch {
    said = undefined;
  }
  const message = `the model call failed with HTTP status ${status}: ${said ?? (body.trim().slice(0, 500) || 'no reason given')}`;
  const advice = headers['x-should-retry'];
  const retry = advice === 'true' || (advice !== 'false' && (status === 408 || status === 429 || status >= 500));
  const seconds = Number(headers['retry-after']);
  return new ModelError(message, retry, seconds > 0 ? seconds * 1000 : undefined);
}

function errorText({ error }: { readonly error?: unknown }): string | undefined {
  if (typeof error === 'string') return error;
  const message = (error as { readonly message?: unknown } | undefined)?.message;
  return typeof message === 'string' ? message : undefined;
}

async function textOf(response: IncomingMessage): Promise<string> {
  response.setEncoding('utf8');
  let text = '';
  for await (const chunk of response as AsyncIterable<string>) text += chunk;
  return text;
}
