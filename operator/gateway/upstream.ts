import {
  Agent as HttpAgent,
  request as httpRequest,
  type ClientRequest,
  type IncomingMessage,
  type OutgoingHttpHeaders,
} from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { messageOf } from '../errors.ts';
import { GatewayError } from './failure.ts';

/** How long a provider may take. */
export interface Timeouts {
  /** Until the connection stands, TLS included. */
  readonly connectMs: number;
  /** From then until the headers of the answer. */
  readonly headersMs: number;
  /** Between two pieces of the answer. */
  readonly idleMs: number;
}

export const DEFAULT_TIMEOUTS: Timeouts = { connectMs: 10_000, headersMs: 300_000, idleMs: 120_000 };

/** A request to a provider. */
export interface UpstreamRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: OutgoingHttpHeaders;
  readonly body?: Buffer | string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The connections to the providers: kept open between calls, and never following a redirect. */
export class Upstream {
  readonly timeouts: Timeouts;
  readonly #http = new HttpAgent({ keepAlive: true });
  readonly #https = new HttpsAgent({ keepAlive: true });

  constructor(timeouts: Timeouts = DEFAULT_TIMEOUTS) {
    this.timeouts = timeouts;
  }

  /**
   * The head of the provider's answer; its body is read by whoever asked.
   *
   * @throws GatewayError 502 or 504 that names the host, when there is no answer
   */
  async send(request: UpstreamRequest): Promise<IncomingMessage> {
    const answer = await this.#attempt(request, true);
    const { statusCode = 0, headers } = answer;
    if (statusCode < 300 || statusCode >= 400 || statusCode === 304) return answer;
    answer.destroy();
    throw unavailable(
      request.url,
      `redirects to '${placeIn(headers.location, request.url)}', which is not followed: set provider.baseURL to the final address`,
    );
  }

  /** Opens a connection ahead of the first call; what the server says to it does not matter. */
  async connect(url: URL): Promise<void> {
    const signal = AbortSignal.timeout(this.timeouts.connectMs);
    const answer = await this.#attempt({ method: 'HEAD', url, headers: {}, signal }, true);
    answer.resume();
  }

  /** Closes every connection. */
  close(): void {
    this.#http.destroy();
    this.#https.destroy();
  }

  #attempt(request: UpstreamRequest, again: boolean): Promise<IncomingMessage> {
    const { url, method, headers, signal } = request;
    return new Promise((resolve, reject) => {
      const options = { method, headers, ...(signal === undefined ? {} : { signal }) };
      const outgoing =
        url.protocol === 'https:'
          ? httpsRequest(url, { ...options, agent: this.#https })
          : httpRequest(url, { ...options, agent: this.#http });
      const stopTimers = this.#watch(outgoing, url);
      outgoing.once('response', (answer) => {
        stopTimers();
        resolve(answer);
      });
      outgoing.on('error', (error: NodeJS.ErrnoException) => {
        stopTimers();
        // The server may close a kept connection just when it is used again: then it has not seen the request.
        const stale = outgoing.reusedSocket && (error.code === 'ECONNRESET' || error.code === 'EPIPE');
        const final = error instanceof GatewayError || signal?.aborted === true;
        if (again && stale && !final) resolve(this.#attempt(request, false));
        else reject(final ? error : unavailable(url, `could not be reached: ${messageOf(error)}`, error));
      });
      outgoing.end(request.body);
    });
  }

  #watch(outgoing: ClientRequest, url: URL): () => void {
    const { connectMs, headersMs } = this.timeouts;
    let timer: NodeJS.Timeout | undefined;
    const expect = (what: string, ms: number): void => {
      clearTimeout(timer);
      timer = setTimeout(() => {
        outgoing.destroy(unavailable(url, `did not ${what} within ${ms / 1000} s`, undefined, 504));
      }, ms);
    };
    outgoing.once('socket', (socket) => {
      if (!socket.connecting) {
        expect('answer', headersMs);
        return;
      }
      expect('accept the connection', connectMs);
      socket.once(url.protocol === 'https:' ? 'secureConnect' : 'connect', () => {
        expect('answer', headersMs);
      });
    });
    return () => {
      clearTimeout(timer);
    };
  }
}

/** Where a redirect leads, without what may be secret of it. */
function placeIn(location: string | undefined, from: URL): string {
  const url = location === undefined ? null : URL.parse(location, from.href);
  return url === null ? 'nowhere' : url.origin + url.pathname;
}

function unavailable(url: URL, what: string, cause?: unknown, status = 502): GatewayError {
  return new GatewayError(`the provider at '${url.host}' ${what}`, {
    status,
    code: 'provider_unavailable',
    retry: true,
    cause,
  });
}
