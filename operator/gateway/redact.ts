/**
 * Blackens a secret in a stream of bytes, also where it is cut between two chunks. The length stays, so that a
 * Content-Length stays true. Bytes are held back only while they may be the secret's beginning.
 */
export class Redactor {
  readonly #secret: Buffer;
  #held: Buffer = Buffer.alloc(0);

  constructor(secret: string) {
    this.#secret = Buffer.from(secret);
  }

  /** What can be passed on, now that `chunk` has come. */
  push(chunk: Buffer): Buffer {
    const all = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    const clean = this.#blacken(all);
    const end = clean.length - this.#beginning(clean);
    this.#held = clean.subarray(end);
    return clean.subarray(0, end);
  }

  /** What was held back; call it once, at the end. */
  flush(): Buffer {
    return this.#held;
  }

  #blacken(bytes: Buffer): Buffer {
    let clean = bytes;
    for (let at = bytes.indexOf(this.#secret); at !== -1; at = clean.indexOf(this.#secret, at)) {
      // The chunk belongs to whoever read it: change a copy.
      if (clean === bytes) clean = Buffer.from(bytes);
      clean.fill('*', at, at + this.#secret.length);
    }
    return clean;
  }

  /** Length of the longest end of `bytes` that the secret starts with. */
  #beginning(bytes: Buffer): number {
    for (let length = Math.min(this.#secret.length - 1, bytes.length); length > 0; length--) {
      if (bytes.subarray(-length).equals(this.#secret.subarray(0, length))) return length;
    }
    return 0;
  }
}
