import type { ServerResponse } from 'node:http';
import type { Clock } from '../runtime/clock.ts';

/** Proxies close connections on which nothing comes for long; most wait for a minute. */
const HEARTBEAT_MS = 15_000;

/** Server-sent events, as OpenAI's clients read them: one JSON value each, comments while nothing happens, and an end. */
export class SseWriter {
  readonly #response: ServerResponse;
  readonly #clock: Clock;
  #cancelHeartbeat: () => void = () => undefined;

  constructor(response: ServerResponse, clock: Clock, headers: Readonly<Record<string, string>> = {}) {
    this.#response = response;
    this.#clock = clock;
    response.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache',
      'x-accel-buffering': 'no', // ingress-nginx would gather what comes
      ...headers,
    });
    response.flushHeaders();
    this.#beat();
  }

  send(value: object): void {
    this.#write(`data: ${JSON.stringify(value)}\n\n`);
  }

  /** Every stream ends like this, also after an error: clients wait for it. */
  end(): void {
    this.#cancelHeartbeat();
    this.#response.end('data: [DONE]\n\n');
  }

  /** Nobody listens any more. */
  abandon(): void {
    this.#cancelHeartbeat();
  }

  #write(text: string): void {
    if (!this.#response.destroyed) this.#response.write(text);
  }

  #beat(): void {
    this.#cancelHeartbeat = this.#clock.after(HEARTBEAT_MS, () => {
      this.#write(': at work\n\n');
      this.#beat();
    });
  }
}
