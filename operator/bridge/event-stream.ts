import { StringDecoder } from 'node:string_decoder';
import { Transform, type TransformCallback } from 'node:stream';
import { errorOf, isUsageOnly, jsonOf, tokensOf } from './usage.ts';
import type { Tokens } from './meter.ts';

/** What a stream's reader hears. */
export interface StreamEars {
  readonly onTokens: (tokens: Tokens) => void;
  readonly onError: (message: string) => void;
  /** Whether the chunk that tells only the tokens is kept from the client, which didn't ask for it. */
  readonly hideUsage: boolean;
}

/** An event this long is passed on unread. */
const MOST_CHARACTERS = 4 * 1024 * 1024;

/** Passes server-sent events on as they come, and reads along. */
export class EventStream extends Transform {
  readonly #ears: StreamEars;
  readonly #decoder = new StringDecoder('utf8');
  #rest = '';
  #counted: Tokens = { input: 0, output: 0 };

  constructor(ears: StreamEars) {
    super();
    this.#ears = ears;
  }

  override _transform(chunk: Buffer, _: BufferEncoding, done: TransformCallback): void {
    this.#rest += this.#decoder.write(chunk);
    const boundary = /\r?\n\r?\n/g;
    let start = 0;
    for (let end = boundary.exec(this.#rest); end !== null; end = boundary.exec(this.#rest)) {
      this.#pass(this.#rest.slice(start, boundary.lastIndex));
      start = boundary.lastIndex;
    }
    this.#rest = this.#rest.slice(start);
    if (this.#rest.length > MOST_CHARACTERS) {
      this.push(this.#rest);
      this.#rest = '';
    }
    done();
  }

  override _flush(done: TransformCallback): void {
    this.#pass(this.#rest + this.#decoder.end());
    done();
  }

  #pass(event: string): void {
    if (event === '') return;
    if (this.#hides(event)) return;
    this.push(event);
  }

  #hides(event: string): boolean {
    if (!event.includes('"usage"') && !event.includes('"error"')) return false;
    const data = event
      .split(/\r?\n/)
      .filter((line) => line.startsWith('data:'))
      .map((line) => line.slice(5))
      .join('\n');
    const chunk = jsonOf(data);
    const error = errorOf(chunk);
    if (error !== undefined) this.#ears.onError(error);
    this.#count(tokensOf(chunk));
    return this.#ears.hideUsage && isUsageOnly(chunk);
  }

  /** At once, because a client that hangs up has used its tokens. Some servers repeat a running total. */
  #count(total: Tokens | undefined): void {
    if (total === undefined) return;
    this.#ears.onTokens({ input: total.input - this.#counted.input, output: total.output - this.#counted.output });
    this.#counted = total;
  }
}
