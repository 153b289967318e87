import { Transform, type TransformCallback } from 'node:stream';
import { Redactor } from './redact.ts';
import { UsageTail, type Tokens } from './usage.ts';

/** What a {@link Relay} watches for. */
export interface RelayOptions {
  /** Blackened wherever it appears. */
  readonly secret?: string | undefined;
  /** Longest time in which nothing moves. */
  readonly idleMs: number;
}

/** Passes an answer on as it comes: blackens the key, notes the usage, and ends the answer when nothing moves. */
export class Relay extends Transform {
  readonly #redactor: Redactor | undefined;
  readonly #usage = new UsageTail();
  readonly #idle: NodeJS.Timeout;

  constructor({ secret, idleMs }: RelayOptions) {
    super();
    this.#redactor = secret === undefined ? undefined : new Redactor(secret);
    this.#idle = setTimeout(() => {
      this.destroy(new Error(`nothing moved for ${idleMs / 1000} s`));
    }, idleMs);
  }

  /** Tokens of the answer, as far as it has come by. */
  get tokens(): Tokens | undefined {
    return this.#usage.read();
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#idle.refresh();
    this.#usage.push(chunk);
    const bytes = this.#redactor === undefined ? chunk : this.#redactor.push(chunk);
    // An empty chunk must not be pushed: it would say that the stream can wait.
    if (bytes.length > 0) this.push(bytes);
    done();
  }

  override _flush(done: TransformCallback): void {
    const rest = this.#redactor?.flush();
    if (rest !== undefined && rest.length > 0) this.push(rest);
    done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    clearTimeout(this.#idle);
    done(error);
  }
}
