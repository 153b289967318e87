import { Agent, type IncomingMessage, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../errors.ts';

/** One request to the gateway. */
export interface GatewayRequest {
  readonly method: string;
  /** Path with query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[]>>;
  readonly body?: Buffer;
  readonly signal: AbortSignal;
}

/** How long a gateway that can't be reached is tried again: its Pods may just be replaced. */
const PATIENCE_MS = 5000;

/** Failures before a request was taken by anyone: sending it again can't do anything twice. */
const NOT_SENT = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'ETIMEDOUT']);

/** Speaks HTTP with the gateway, over connections that stay open, in the name of the run. */
export class GatewayClient {
  readonly #url: string;
  readonly #token: () => string;
  readonly #patienceMs: number;
  readonly #agent = new Agent({ keepAlive: true });

  constructor(url: string, token: () => string, patienceMs = PATIENCE_MS) {
    this.#url = url;
    this.#token = token;
    this.#patienceMs = patienceMs;
  }

  /** Opens a connection, and lets the gateway get to know the run, before the first model call needs both. */
  async warm(signal: AbortSignal): Promise<void> {
    const answer = await this.send({ method: 'GET', path: '/v1/warm', headers: {}, signal });
    answer.resume();
  }

  /** Sends a request; rejects with one sentence when the gateway can't be reached. */
  async send(wanted: GatewayRequest): Promise<IncomingMessage> {
    const end = performance.now() + this.#patienceMs;
    for (let pause = 50; ; pause = Math.min(1000, pause * 2)) {
      try {
        return await this.#attempt(wanted);
      } catch (error) {
        wanted.signal.throwIfAborted();
        if (!(error instanceof NotSentError) || performance.now() + pause > end) {
          throw new Error(`the gateway could not be reached: ${messageOf(error)}`, { cause: error });
        }
        await sleep(pause, undefined, { signal: wanted.signal });
      }
    }
  }

  close(): void {
    this.#agent.destroy();
  }

  #attempt({ method, path, headers, body, signal }: GatewayRequest): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const outgoing = request(
        this.#url + path,
        {
          method,
          agent: this.#agent,
          signal,
          headers: {
            ...headers,
            authorization: `Bearer ${this.#token()}`,
            ...(body === undefined ? {} : { 'content-length': body.length }),
          },
        },
        resolve,
      );
      outgoing.on('error', (error: NodeJS.ErrnoException) => {
        // An idle connection that the gateway closed just now: it has not read the request.
        const stale = outgoing.reusedSocket && error.code === 'ECONNRESET';
        reject(stale || NOT_SENT.has(error.code ?? '') ? new NotSentError(error) : error);
      });
      outgoing.end(body);
    });
  }
}

class NotSentError extends Error {
  override readonly name = 'NotSentError';
  constructor(cause: NodeJS.ErrnoException) {
    super(cause.message === '' ? (cause.code ?? 'unknown error') : cause.message, { cause });
  }
}
