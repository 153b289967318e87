import { createHash, timingSafeEqual } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { MIN_API_KEY } from '../../lib/api/limits.ts';
import { ApiError } from './failure.ts';

/** The key that callers must send, in a file that follows its Secret. */
export class Key {
  readonly #file: string;
  readonly #secret: string;

  /** @param secret name of the Secret, for messages */
  constructor(file: string, secret: string) {
    this.#file = file;
    this.#secret = secret;
  }

  /** What is wrong with the key, or `undefined`. */
  async problem(): Promise<string | undefined> {
    const key = await this.#read();
    if (key === '') return `there is no key: create Secret '${this.#secret}' with a key 'apiKey'`;
    if (key.length >= MIN_API_KEY) return undefined;
    return `the key in Secret '${this.#secret}' has ${key.length} characters: expected at least ${MIN_API_KEY}`;
  }

  /** @throws ApiError 401 unless the header carries the key, 503 while there is none */
  async check(authorization: string | undefined): Promise<void> {
    const problem = await this.problem();
    if (problem !== undefined)
      throw new ApiError('the endpoint has no key yet', { status: 503, code: 'no_key', retry: true });
    const sent = /^Bearer +(\S+) *$/i.exec(authorization ?? '')?.[1];
    if (sent === undefined) throw unauthorized('no key was sent: send Authorization: Bearer <key>', 'missing_api_key');
    // Digests, because both must have the same length to be compared in constant time.
    if (!timingSafeEqual(digest(sent), digest(await this.#read())))
      throw unauthorized('the key is wrong: ask whoever runs this endpoint for it', 'invalid_api_key');
  }

  async #read(): Promise<string> {
    try {
      return (await readFile(this.#file, 'utf8')).trim();
    } catch {
      return '';
    }
  }
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
const unauthorized = (message: string, code: string) => new ApiError(message, { status: 401, code });
