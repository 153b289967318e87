/** Of each end of the output, so much is kept while the program runs. */
const KEPT_BYTES = 64 * 1024;

/** Keeps the first and the last of what a program writes, so that endless output takes no memory. */
export class Output {
  bytes = 0;
  readonly #first: Buffer[] = [];
  #firstBytes = 0;
  #last: Buffer[] = [];
  #lastBytes = 0;

  add(chunk: Buffer): void {
    this.bytes += chunk.length;
    const room = KEPT_BYTES - this.#firstBytes;
    if (room > 0) {
      this.#first.push(chunk.subarray(0, room));
      this.#firstBytes += Math.min(room, chunk.length);
    }
    if (chunk.length > room) {
      this.#last.push(chunk.subarray(Math.max(0, room)));
      this.#lastBytes += chunk.length - Math.max(0, room);
      if (this.#lastBytes > 4 * KEPT_BYTES) this.#compact();
    }
  }

  /** All of it, or its two ends with `cut` between them. */
  text(cut: string): string {
    this.#compact();
    const complete = this.#firstBytes + this.#lastBytes === this.bytes;
    const first = Buffer.concat(this.#first);
    const last = Buffer.concat(this.#last);
    return complete ? Buffer.concat([first, last]).toString() : first.toString() + cut + last.toString();
  }

  #compact(): void {
    const last = Buffer.concat(this.#last);
    const kept = last.length > KEPT_BYTES ? Buffer.from(last.subarray(last.length - KEPT_BYTES)) : last;
    this.#last = [kept];
    this.#lastBytes = kept.length;
  }
}
