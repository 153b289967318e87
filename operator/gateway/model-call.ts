import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { REASON_HEADER } from '../bus/messages.ts';
import { readJson, type JsonObject } from './body.ts';
import type { Caller } from './callers.ts';
import type { ClusterReader } from './cluster.ts';
import { authorizeRequest } from './model-policy.ts';
import { readApiKey } from './credentials.ts';
import { GatewayError, RETRY_HEADER } from './failure.ts';
import type { ModelPath } from './provider.ts';
import type { Providers } from './providers.ts';
import { Relay } from './relay.ts';
import type { Tokens } from './usage.ts';

/** What answers a model call. */
export interface ModelCallContext {
  readonly cluster: Pick<ClusterReader, 'secret'>;
  readonly providers: Providers;
  readonly idleMs: number;
}

/** What a run asks for, and the response it is answered with. */
export interface ModelCallRequest {
  readonly caller: Caller;
  readonly path: ModelPath;
  readonly search: string;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

/**
 * Asks the run's provider and passes its answer on as it comes. When the run goes away, the provider's work is stopped.
 *
 * @returns the tokens it took, as far as the provider told
 * @throws GatewayError before the answer has begun; any error once it was cut
 */
export async function answerModelCall(
  { cluster, providers, idleMs }: ModelCallContext,
  { caller, path, search, request, response }: ModelCallRequest,
): Promise<Tokens | undefined> {
  const { namespace, provider } = caller;
  const gone = new AbortController();
  response.once('close', () => {
    if (!response.writableFinished) gone.abort();
  });
  const method = path === '/models' ? 'GET' : 'POST';
  const [body, apiKey, { call }] = await Promise.all([
    method === 'GET'
      ? undefined
      : readJson(request).then((sent) => {
          authorizeRequest(caller, path, sent);
          return withModel(sent, provider.model);
        }),
    readApiKey(cluster, namespace, provider),
    providers(provider.name).then((found) => ({ call: found.call.bind(found) })),
  ]);
  gone.signal.throwIfAborted();
  const { headers } = request;
  const reply = await call({ path, method, search, headers, body, provider, apiKey, signal: gone.signal }).catch(
    (error: unknown) => {
      throw withoutSecret(error, apiKey);
    },
  );
  response.writeHead(reply.status, { ...reply.headers, ...verdict(reply.status) });
  response.flushHeaders();
  const relay = new Relay({ secret: apiKey, idleMs });
  try {
    await pipeline(reply.body, relay, response);
  } finally {
    // A pipeline into a response that is closed already takes charge of nothing: neither timer nor connection may stay.
    relay.destroy();
    reply.body.destroy();
  }
  return relay.tokens;
}

/**
 * Which model an agent uses is its instance's decision, and so the platform's: whatever the agent's code asks for, the
 * provider is asked for that one. The body is written anew from what was parsed, so that a second `model` in the
 * same object, which another parser might prefer, does not survive.
 */
const withModel = (body: JsonObject, model: string): JsonObject => ({ ...body, model });

/** A refusal whose sentence quotes the provider, which may have quoted the key. */
function withoutSecret(error: unknown, secret: string | undefined): unknown {
  if (!(error instanceof GatewayError) || secret === undefined || !error.message.includes(secret)) return error;
  return new GatewayError(error.message.replaceAll(secret, '*'.repeat(secret.length)), error);
}

/** What a run makes of an error of its provider: a key that was refused is not accepted by asking again. */
function verdict(status: number): Record<string, string> {
  if (status < 400) return {};
  return { [REASON_HEADER]: 'ModelError', ...(status === 401 || status === 403 ? { [RETRY_HEADER]: 'false' } : {}) };
}
