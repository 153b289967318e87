import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { KubeError, kubeErrorOf } from './errors.ts';
import { secondsSince } from '../metrics/instrument.ts';
import { kubeRequests } from '../metrics/kube.ts';
import type { Connection } from './config.ts';
import { requestLabels } from './request-labels.ts';

/** One request to the API server. */
export interface Call {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly query?: Readonly<Record<string, string | undefined>>;
  readonly contentType?: string;
  readonly body?: object;
  readonly signal?: AbortSignal | undefined;
}

/** Sends JSON requests over kept connections. */
export class Http {
  readonly #connection: Connection;
  readonly #agent: HttpAgent;
  readonly #request: typeof httpsRequest;
  readonly #timeoutMs: number;

  constructor(connection: Connection, timeoutMs: number) {
    const secure = connection.server.protocol === 'https:';
    this.#connection = connection;
    this.#agent = secure
      ? new HttpsAgent({ keepAlive: true, keepAliveMsecs: 30_000, ...connection.tls })
      : new HttpAgent({ keepAlive: true, keepAliveMsecs: 30_000 });
    this.#request = secure ? httpsRequest : httpRequest;
    this.#timeoutMs = timeoutMs;
  }

  /**
   * Sends a request and reads the whole answer.
   *
   * @throws KubeError when the server refuses it, or no answer comes in time
   */
  async json(call: Call): Promise<unknown> {
    const timeout = AbortSignal.timeout(this.#timeoutMs);
    const signal = call.signal === undefined ? timeout : AbortSignal.any([call.signal, timeout]);
    const response = await this.open({ ...call, signal });
    const body = await this.#read(call, response);
    return JSON.parse(body) as unknown;
  }

  /**
   * Sends a request and returns as soon as the answer begins.
   *
   * @throws KubeError when the server refuses it, or can't be reached
   */
  async open(call: Call): Promise<IncomingMessage> {
    const start = performance.now();
    let status = 0;
    let response: IncomingMessage;
    try {
      response = await this.#send(call, await this.#connection.headers());
      status = response.statusCode ?? 0;
    } finally {
      const code = status === 0 ? 'none' : String(status);
      kubeRequests.record(secondsSince(start), { ...requestLabels(call), code });
    }
    if (status >= 200 && status < 300) return response;
    throw kubeErrorOf(describe(call), status, await this.#read(call, response));
  }

  /** Closes every connection. */
  close(): void {
    this.#agent.destroy();
  }

  #send(call: Call, auth: Readonly<Record<string, string>>): Promise<IncomingMessage> {
    const url = new URL(call.path, this.#connection.server);
    for (const [name, value] of Object.entries(call.query ?? {}))
      if (value !== undefined) url.searchParams.set(name, value);
    const body = call.body === undefined ? undefined : JSON.stringify(call.body);
    const headers = {
      ...auth,
      accept: 'application/json',
      'user-agent': 'sympozium',
      ...(body === undefined
        ? {}
        : {
            'content-type': call.contentType ?? 'application/json',
            'content-length': String(Buffer.byteLength(body)),
          }),
    };
    return new Promise((resolve, reject) => {
      const request = this.#request(url, {
        method: call.method,
        headers,
        agent: this.#agent,
        ...(call.signal === undefined ? {} : { signal: call.signal }),
      });
      request.on('response', resolve);
      request.on('error', (error: NodeJS.ErrnoException) => {
        // The server closed an idle connection just as we used it: it never saw the request.
        if (request.reusedSocket && error.code === 'ECONNRESET') resolve(this.#send(call, auth));
        else reject(unreachable(call, error));
      });
      request.end(body);
    });
  }

  async #read(call: Call, response: IncomingMessage): Promise<string> {
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of response) chunks.push(chunk as Buffer);
    } catch (error) {
      throw unreachable(call, error);
    }
    return Buffer.concat(chunks).toString('utf8');
  }
}

const describe = ({ method, path }: Call) => `${method} ${path}`;

function unreachable(call: Call, cause: unknown): KubeError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new KubeError('Unavailable', 0, `${describe(call)}: no answer from the API server: ${why}`, { cause });
}
