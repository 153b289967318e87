import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { auditDenial } from './audit.ts';
import { readJson } from './body.ts';
import { Callers, type Caller } from './callers.ts';
import { check } from './check.ts';
import type { ClusterReader } from './cluster.ts';
import { messageOf } from '../errors.ts';
import { GatewayError } from './failure.ts';
import { answerFetch, type FetchContext } from './fetch/answer.ts';
import type { Fetcher } from './fetch/fetcher.ts';
import { Slots } from './fetch/slots.ts';
import type { Log } from '../log.ts';
import { callStarted, measureRequest } from './measure.ts';
import { answerModelCall } from './model-call.ts';
import { authorizeModel, DENIALS } from './model-policy.ts';
import type { ModelPath } from './provider.ts';
import type { Providers } from './providers.ts';
import type { Tokens } from './usage.ts';

/** Longer than any client keeps an idle connection: the side that sends must be the one that gives up first. */
const KEEP_ALIVE_MS = 75_000;

const MODEL_ROUTES: Readonly<Record<string, ModelPath>> = {
  'POST /v1/chat/completions': '/chat/completions',
  'POST /v1/responses': '/responses',
  'POST /v1/embeddings': '/embeddings',
  'GET /v1/models': '/models',
};

/** Fetches at once: each may hold a megabyte or two. */
const FETCHES = { inAll: 32, perRun: 8 };

/** What a gateway needs from outside. */
export interface GatewayOptions {
  readonly cluster: ClusterReader;
  readonly providers: Providers;
  readonly fetcher: Pick<Fetcher, 'fetch'>;
  /** User name of the controller: the only one that may ask `/check`. */
  readonly controller: string;
  /** Longest time in which nothing of an answer moves. */
  readonly idleMs: number;
  readonly log: Log;
  readonly date: () => Date;
  /** Milliseconds of a clock that never goes back; for tests. */
  readonly now?: () => number;
}

/** What is known of a request when it ends, for its line in the log. */
interface Note {
  caller?: Caller;
  path?: ModelPath;
  tokens?: Tokens | undefined;
  error?: unknown;
  /** The answer had begun, or nobody waited for it any more, when the error came. */
  cut?: boolean;
}

/** The gateway's HTTP server: model calls and fetches of runs, and checks of the controller. It listens when told to. */
export function createGateway(options: GatewayOptions): Server {
  const parts = {
    callers: new Callers(options.cluster, options.now),
    fetches: { ...options, slots: new Slots(FETCHES) },
  };
  const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, (request, response) => {
    const start = performance.now();
    const note: Note = {};
    // A server that is closing must not offer its connections for another request.
    if (!server.listening) response.setHeader('connection', 'close');
    void answer(options, parts, { request, response, note })
      .catch((error: unknown) => {
        note.error = error;
        note.cut = response.headersSent || response.destroyed;
        audit(options, note);
        refuse(response, error);
      })
      .finally(() => {
        measureRequest(start, response, note);
        writeLine(options.log, request, response, { ...note, ms: Math.round(performance.now() - start) });
      });
  });
  return server;
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly note: Note;
}

/** What lives as long as the gateway. */
interface Parts {
  readonly callers: Callers;
  readonly fetches: FetchContext;
}

async function answer(
  options: GatewayOptions,
  { callers, fetches }: Parts,
  { request, response, note }: Exchange,
): Promise<void> {
  const [pathname = '/', query] = (request.url ?? '/').split(/\?(.*)/s, 2);
  const search = query === undefined ? '' : `?${query}`;
  const route = `${request.method ?? 'GET'} ${pathname}`;
  const { authorization } = request.headers;
  const path = MODEL_ROUTES[route];
  if (path !== undefined) {
    const caller = await callers.caller(authorization);
    note.caller = caller;
    note.path = path;
    authorizeModel(caller);
    const ended = callStarted();
    note.tokens = await answerModelCall(options, { caller, path, search, request, response }).finally(ended);
  } else if (route === 'GET /v1/warm') {
    note.caller = await callers.caller(authorization);
    warm(options, note.caller);
    response.writeHead(204).end();
  } else if (route === 'POST /fetch') {
    note.caller = await callers.caller(authorization);
    sendJson(response, 200, await answerFetch(fetches, note.caller, request, response));
  } else if (route === 'POST /check') {
    authorizeController(await callers.user(authorization), options.controller);
    sendJson(response, 200, await check(options.cluster, await readJson(request)));
  } else {
    throw new GatewayError(
      `there is no '${route}': the gateway serves ${Object.keys(MODEL_ROUTES).join(', ')}, GET /v1/warm and POST /fetch`,
      { status: 404, code: 'unknown_path' },
    );
  }
}

/** Nobody waits for it: the first call does what it has not done by then. */
function warm({ providers, log }: GatewayOptions, caller: Caller): void {
  const { provider } = caller;
  void providers(provider.name)
    .then((found) => found.warm(provider))
    .catch((error: unknown) => {
      log.warn('Could not warm up', { ...fieldsOf(caller), because: messageOf(error) });
    });
}

function authorizeController(user: string, controller: string): void {
  if (user === controller) return;
  throw new GatewayError(`'${user}' may not ask for checks: expected '${controller}'`, {
    status: 403,
    code: 'not_the_controller',
  });
}

function audit(options: GatewayOptions, { caller, error }: Note): void {
  if (caller === undefined || !(error instanceof GatewayError) || !DENIALS.includes(error.code)) return;
  auditDenial(options, caller, { action: 'model', rule: error.message });
}

function refuse(response: ServerResponse, error: unknown): void {
  // An answer that was cut must look cut: an orderly end would pass for a whole one.
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  const failure =
    error instanceof GatewayError
      ? error
      : new GatewayError('the gateway failed: its log says why', { status: 500, code: 'internal_error', retry: true });
  sendJson(response, failure.status, failure.body, failure.headers);
}

function sendJson(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  const text = JSON.stringify(body);
  response
    .writeHead(status, { ...headers, 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) })
    .end(text);
}

function writeLine(log: Log, request: IncomingMessage, response: ServerResponse, note: Note & { ms: number }): void {
  const { caller, tokens, error, cut, ms } = note;
  const fields = {
    path: request.url?.split('?')[0],
    ...(caller === undefined ? {} : fieldsOf(caller)),
    status: response.statusCode,
    ms,
    ...tokens,
  };
  if (error === undefined) log.info('Answered', fields);
  else if (error instanceof GatewayError) log.warn('Refused', { ...fields, code: error.code, because: error.message });
  else if (cut === true) log.warn('Cut', { ...fields, because: messageOf(error) });
  // Only the stack: an error of a library may hold the prompt.
  else log.error('Failed', { ...fields, stack: error instanceof Error ? error.stack : typeof error });
}

const fieldsOf = ({ namespace, run, provider }: Caller) => ({
  run: `${namespace}/${run}`,
  provider: provider.name,
  model: provider.model,
});
