import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { messageOf } from '../errors.ts';
import type { Log } from '../log.ts';
import { answerChat, INTERNAL, type AnswerOptions } from './answer.ts';
import { readJson } from './body.ts';
import { readChatRequest } from './chat-request.ts';
import { ApiError } from './failure.ts';
import type { Key } from './key.ts';
import type { RateLimit } from './rate-limit.ts';

/** Longer than any client keeps an idle connection: the side that sends must be the one that gives up first. */
const KEEP_ALIVE_MS = 75_000;

/** What a web endpoint needs from outside. */
export interface EndpointOptions extends AnswerOptions {
  readonly instance: string;
  readonly key: Pick<Key, 'check'>;
  readonly limit: Pick<RateLimit, 'take'>;
  /** What is missing to answer, or `undefined`. */
  readonly ready: () => Promise<string | undefined>;
}

/** What is known of a request when it ends, for its line in the log. */
interface Note {
  run?: string;
  /** Left out: answered. */
  outcome?: 'answered' | 'left';
  error?: unknown;
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly note: Note;
}

/** The HTTP server of one instance's web endpoint: OpenAI's Chat Completions. It listens when told to. */
export function createEndpoint(options: EndpointOptions): Server {
  const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, (request, response) => {
    const start = performance.now();
    const note: Note = {};
    // A server that is closing must not offer its connections for another request.
    if (!server.listening) response.setHeader('connection', 'close');
    void answer(options, { request, response, note })
      .catch((error: unknown) => {
        note.error = error;
        refuse(response, error);
      })
      .finally(() => {
        writeLine(options.log, request, response, { ...note, ms: Math.round(performance.now() - start) });
      });
  });
  return server;
}

async function answer(options: EndpointOptions, exchange: Exchange): Promise<void> {
  const { request, response } = exchange;
  const { pathname } = new URL(request.url ?? '/', 'http://endpoint');
  const route = `${request.method ?? 'GET'} ${pathname}`;
  if (route === 'GET /healthz') {
    response.writeHead(200, { 'content-type': 'text/plain' }).end('ok\n');
  } else if (route === 'GET /readyz') {
    const missing = await options.ready();
    response.writeHead(missing === undefined ? 200 : 503, { 'content-type': 'text/plain' }).end(`${missing ?? 'ok'}\n`);
  } else {
    await options.key.check(request.headers.authorization);
    await answerCaller(options, exchange, route);
  }
}

async function answerCaller(
  options: EndpointOptions,
  { request, response, note }: Exchange,
  route: string,
): Promise<void> {
  const { instance } = options;
  const model = { id: instance, object: 'model', created: 0, owned_by: 'sympozium' };
  if (route === 'POST /v1/chat/completions') {
    options.limit.take();
    note.outcome = await answerChat(options, {
      request: readChatRequest(await readJson(request), instance),
      idempotencyKey: header(request, 'idempotency-key'),
      response,
      onRun(run) {
        note.run = run;
        response.setHeader('x-sympozium-run', run);
      },
    });
  } else if (route === 'GET /v1/models') {
    sendJson(response, 200, { object: 'list', data: [model] });
  } else if (route === `GET /v1/models/${instance}`) {
    sendJson(response, 200, model);
  } else {
    const message = `there is no '${route}': expected POST /v1/chat/completions or GET /v1/models`;
    throw new ApiError(message, { status: 404, code: 'unknown_path' });
  }
}

function header({ headers }: IncomingMessage, name: string): string | undefined {
  const value = headers[name];
  const text = Array.isArray(value) ? value.join(',') : value;
  return text === '' ? undefined : text;
}

function refuse(response: ServerResponse, error: unknown): void {
  if (response.writableEnded || response.destroyed) return; // a stream has told it itself
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const failure = error instanceof ApiError ? error : new ApiError(INTERNAL, { status: 500, code: 'internal_error' });
  sendJson(response, failure.init.status, failure.body, failure.headers);
}

function sendJson(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  const text = JSON.stringify(body);
  response
    .writeHead(status, { ...headers, 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) })
    .end(text);
}

/** One line for each request but for probes. Never a text of it. */
function writeLine(
  log: Log,
  { method, url }: IncomingMessage,
  { statusCode }: ServerResponse,
  note: Note & { ms: number },
): void {
  const path = url?.split('?')[0];
  if (path === '/healthz' || path === '/readyz') return;
  const { run, outcome, error, ms } = note;
  const fields = { method, path, ...(run === undefined ? {} : { run }), status: statusCode, ms };
  if (outcome === 'left') log.info('The caller has hung up', fields);
  else if (error === undefined) log.info('Answered', fields);
  else if (error instanceof ApiError) log.warn('Refused', { ...fields, code: error.init.code, because: error.message });
  else log.error('Failed', { ...fields, because: messageOf(error), error });
}
