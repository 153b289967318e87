/** Tokens of one call. */
export interface Tokens {
  readonly inputTokens: number;
  readonly outputTokens: number;
}

/** Enough for the end of every known answer: `usage` stands last, or nearly so. */
const TAIL_BYTES = 8192;

/** Reads the usage out of an answer that flows by, whole or streamed, without parsing or keeping it. */
export class UsageTail {
  #chunks: Buffer[] = [];
  #bytes = 0;

  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    if (this.#bytes > 4 * TAIL_BYTES) this.#compact();
  }

  /** The last usage that was seen. */
  read(): Tokens | undefined {
    const text = this.#compact().toString();
    const usage = text.slice(text.lastIndexOf('"usage"'));
    const inputTokens = count(/"(?:prompt|input)_tokens"\s*:\s*(\d+)/, usage);
    const outputTokens = count(/"(?:completion|output)_tokens"\s*:\s*(\d+)/, usage);
    return inputTokens === undefined ? undefined : { inputTokens, outputTokens: outputTokens ?? 0 };
  }

  #compact(): Buffer {
    // A copy: a slice would keep the whole chunk alive.
    const tail = Buffer.from(Buffer.concat(this.#chunks).subarray(-TAIL_BYTES));
    this.#chunks = [tail];
    this.#bytes = tail.length;
    return tail;
  }
}

function count(pattern: RegExp, text: string): number | undefined {
  const digits = pattern.exec(text)?.[1];
  return digits === undefined ? undefined : Number(digits);
}
