import type { ServerResponse } from 'node:http';
import { callsInFlight, modelCalls, modelTokens, refused } from '../metrics/gateway.ts';
import { secondsSince } from '../metrics/instrument.ts';
import type { Caller } from './callers.ts';
import { GatewayError } from './failure.ts';
import type { ModelPath } from './provider.ts';
import type { Tokens } from './usage.ts';

const OPERATIONS: Readonly<Record<ModelPath, string>> = {
  '/chat/completions': 'chat',
  '/responses': 'responses',
  '/embeddings': 'embeddings',
  '/models': 'models',
};

/** Counts a model call as under way, until what is returned is called. */
export function callStarted(): () => void {
  callsInFlight.add({}, 1);
  return () => {
    callsInFlight.add({}, -1);
  };
}

/** What is known of a request that has ended. */
export interface Ended {
  readonly caller?: Caller;
  /** Only of a model call. */
  readonly path?: ModelPath;
  readonly tokens?: Tokens | undefined;
  readonly error?: unknown;
  /** Whether the error broke off an answer that had begun. */
  readonly cut?: boolean;
}

/** Counts a request that came at `start` and has ended. */
export function measureRequest(start: number, { statusCode }: ServerResponse, ended: Ended): void {
  const { caller, path, tokens, error } = ended;
  const why = reasonOf(statusCode, ended);
  if (error !== undefined && why !== 'cut') refused.add({ reason: why });
  if (caller === undefined || path === undefined) return;
  const model = {
    'gen_ai.operation.name': OPERATIONS[path],
    'gen_ai.provider.name': caller.provider.name,
    'gen_ai.request.model': caller.provider.model,
    run_namespace: caller.namespace,
  };
  modelCalls.record(secondsSince(start), {
    ...model,
    'http.response.status_code': String(statusCode),
    'error.type': why,
  });
  if (tokens === undefined) return;
  modelTokens.record(tokens.inputTokens, { ...model, 'gen_ai.token.type': 'input' });
  modelTokens.record(tokens.outputTokens, { ...model, 'gen_ai.token.type': 'output' });
}

/** One word of a known set; nothing when all went well. */
function reasonOf(status: number, { error, cut }: Ended): string {
  if (cut === true) return 'cut';
  if (error !== undefined) return error instanceof GatewayError ? error.code : 'internal_error';
  return status >= 400 ? String(status) : '';
}
