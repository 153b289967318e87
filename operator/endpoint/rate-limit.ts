import { ApiError } from './failure.ts';

/** Lets so many requests through in a minute: all at once after a quiet minute, then evenly. */
export class RateLimit {
  readonly #perMinute: number;
  readonly #now: () => number;
  #left: number;
  #at: number;

  /** @param now milliseconds of a clock that never goes back */
  constructor(perMinute: number, now: () => number) {
    this.#perMinute = perMinute;
    this.#now = now;
    this.#left = perMinute;
    this.#at = now();
  }

  /** Counts a request. @throws ApiError 429 when it is one too many */
  take(): void {
    const now = this.#now();
    const perMs = this.#perMinute / 60_000;
    this.#left = Math.min(this.#perMinute, this.#left + (now - this.#at) * perMs);
    this.#at = now;
    if (this.#left >= 1) {
      this.#left -= 1;
      return;
    }
    const retryAfter = Math.ceil((1 - this.#left) / perMs / 1000);
    const message = `more than ${this.#perMinute} requests in a minute: try again in ${retryAfter} s`;
    throw new ApiError(message, { status: 429, code: 'rate_limit_exceeded', retry: true, retryAfter });
  }
}
