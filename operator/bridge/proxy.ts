import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { FAILURE_REASONS, REASON_HEADER } from '../bus/messages.ts';
import { messageOf } from '../errors.ts';
import { EventStream } from './event-stream.ts';
import type { GatewayClient } from './gateway-client.ts';
import { type Failure, Meter } from './meter.ts';
import { askForUsage, errorOf, jsonOf, tokensOf } from './usage.ts';

/** What the proxy needs from the bridge. */
export interface ProxyOptions {
  readonly gateway: GatewayClient;
  /** Resolves when the task, and with it the run's limits, is known. */
  readonly meter: Promise<Meter>;
  /** Called when the agent asks for one model call too many. */
  readonly onLimit: (failure: Failure) => void;
  /** Hears of a model call that a policy denied, and by which rule. */
  readonly onDenied?: (rule: string) => void;
}

/** Most bytes of a request's body. */
const MOST_REQUEST_BYTES = 8 * 1024 * 1024;
/** Answers up to this size are searched for the tokens they took. */
const MOST_READ_BYTES = 8 * 1024 * 1024;

/** Headers that belong to one connection, that we set ourselves, or that would hide an answer from us. */
const NOT_FORWARDED = new Set([
  ...['connection', 'keep-alive', 'proxy-authorization', 'proxy-connection', 'te', 'trailer', 'transfer-encoding'],
  ...['upgrade', 'host', 'content-length', 'expect', 'authorization', 'accept-encoding', 'api-key', 'x-api-key'],
]);

/** The HTTP server that the agent knows as its model provider. It adds the run's identity, and counts. */
export function createProxy(options: ProxyOptions): Server {
  return createServer({ keepAliveTimeout: 75_000 }, (request, response) => {
    void answer(options, request, response).catch((error: unknown) => {
      if (response.headersSent) response.destroy();
      else refuse(response, 500, { code: 'bridge_error', message: `the bridge failed: ${messageOf(error)}` });
    });
  });
}

async function answer(options: ProxyOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { method = 'GET' } = request;
  const path = pathOf(request.url ?? '/');
  if (path === undefined || (method !== 'GET' && method !== 'POST')) {
    const message = `there is no '${method} ${request.url ?? '/'}': the model is reached with GET and POST below /v1/`;
    refuse(response, 404, { code: 'unknown_path', message });
    return;
  }
  const body = await bodyOf(request);
  if (body === undefined) {
    const message = `the request is larger than ${MOST_REQUEST_BYTES} bytes: send less of the history`;
    refuse(response, 413, { code: 'request_too_large', message });
    return;
  }
  const meter = await options.meter;
  const limit = method === 'POST' ? meter.takeModelCall() : undefined;
  if (limit !== undefined) {
    refuse(response, 429, { code: 'model_call_limit', message: limit.message });
    options.onLimit(limit);
    return;
  }
  const { gateway, onDenied } = options;
  await forward({ gateway, meter, method, path, body, onDenied }, request, response);
}

interface Forward {
  readonly gateway: GatewayClient;
  readonly meter: Meter;
  readonly method: string;
  readonly path: string;
  readonly body: Buffer;
  readonly onDenied: ProxyOptions['onDenied'];
}

async function forward(call: Forward, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { gateway, method, path } = call;
  // What is only looked up (the list of models) is no reason that a run fails with.
  const meter = method === 'POST' ? call.meter : new Meter({ modelCalls: 0 });
  const { body, asked } = askForUsage(path, call.body);
  const gone = new AbortController();
  response.on('close', () => {
    gone.abort(); // the agent hung up, or has its answer: either way nobody reads on
  });
  let incoming: IncomingMessage;
  try {
    const headers = forwarded(request.headers);
    incoming = await gateway.send({
      method,
      path,
      headers,
      signal: gone.signal,
      ...(method === 'GET' ? {} : { body }),
    });
  } catch (error) {
    if (gone.signal.aborted) return;
    const message = messageOf(error);
    meter.modelCallFailed({ reason: 'ModelError', message });
    refuse(response, 502, { code: 'gateway_unreachable', message, retry: true });
    return;
  }
  let hungUp = false as boolean;
  incoming.once('error', () => (hungUp = gone.signal.aborted)); // by the agent, which ends the call to the gateway too
  try {
    await relay(incoming, response, { meter, hideUsage: asked, onDenied: call.onDenied });
  } catch (error) {
    if (hungUp) return;
    meter.modelCallFailed({ reason: 'ModelError', message: `the gateway's answer broke off: ${messageOf(error)}` });
    response.destroy();
  }
}

interface Relay {
  readonly meter: Meter;
  readonly onDenied: ProxyOptions['onDenied'];
  readonly hideUsage: boolean;
}

async function relay(
  incoming: IncomingMessage,
  response: ServerResponse,
  { meter, onDenied, hideUsage }: Relay,
): Promise<void> {
  const { statusCode: status = 502 } = incoming;
  const headers = forwarded(incoming.headers);
  if (status >= 400) {
    const body = await collect(incoming, MOST_READ_BYTES);
    const failure = failureOf(incoming, body);
    meter.modelCallFailed(failure);
    if (failure.reason === 'ModelDenied') onDenied?.(failure.message);
    response.writeHead(status, headers).end(body);
    return;
  }
  meter.modelCallWorked();
  if (incoming.headers['content-type']?.startsWith('text/event-stream') === true) {
    response.writeHead(status, headers);
    response.flushHeaders();
    const reading = new EventStream({
      hideUsage,
      onTokens: (tokens) => {
        meter.countTokens(tokens);
      },
      onError: (message) => {
        meter.modelCallFailed({ reason: 'ModelError', message });
      },
    });
    return pipeline(incoming, reading, response);
  }
  const body = await collect(incoming, MOST_READ_BYTES);
  const tokens = tokensOf(jsonOf(body.toString()));
  if (tokens !== undefined) meter.countTokens(tokens);
  response.writeHead(status, headers).end(body);
}

/** What the run fails with, if the agent gives up because of this answer. */
function failureOf(incoming: IncomingMessage, body: Buffer): Failure {
  const named = incoming.headers[REASON_HEADER];
  const reason = FAILURE_REASONS.find((known) => known === named) ?? 'ModelError';
  const said = errorOf(jsonOf(body.toString()));
  const failed = `the model call failed with HTTP status ${incoming.statusCode ?? 0}`;
  // Every other reason is the gateway's own, and its sentence says all.
  if (reason !== 'ModelError' && said !== undefined) return { reason, message: said };
  return { reason, message: said === undefined ? failed : `${failed}: ${said}` };
}

/** The path to ask the gateway for. What isn't below /v1/ after `..` is resolved is not the agent's business. */
function pathOf(url: string): string | undefined {
  if (!url.startsWith('/') || !URL.canParse(url, 'http://bridge')) return undefined;
  const { pathname, search, host } = new URL(url, 'http://bridge');
  return host === 'bridge' && pathname.startsWith('/v1/') ? pathname + search : undefined;
}

async function bodyOf(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length <= MOST_REQUEST_BYTES) chunks.push(chunk);
    else if (length > 4 * MOST_REQUEST_BYTES) return undefined; // read on a little, so that the answer is heard
  }
  return length > MOST_REQUEST_BYTES ? undefined : Buffer.concat(chunks);
}

async function collect(incoming: IncomingMessage, most: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > most) throw new Error(`the answer is larger than ${most} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function forwarded(headers: IncomingMessage['headers']): Record<string, string | string[]> {
  const kept: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined && !NOT_FORWARDED.has(name) && !name.startsWith('x-sympozium-')) kept[name] = value;
  }
  return kept;
}

interface Refusal {
  readonly code: string;
  readonly message: string;
  readonly retry?: boolean;
}

/** Answers in the shape that OpenAI's clients read; their libraries obey `x-should-retry`. */
function refuse(response: ServerResponse, status: number, { code, message, retry = false }: Refusal): void {
  const body = JSON.stringify({
    error: { message, type: status >= 500 ? 'api_error' : 'invalid_request_error', code, param: null },
  });
  response
    .writeHead(status, { 'content-type': 'application/json', 'x-should-retry': String(retry), connection: 'close' })
    .end(body);
}
