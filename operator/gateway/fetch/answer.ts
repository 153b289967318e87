import type { IncomingMessage, ServerResponse } from 'node:http';
import { refused } from '../../metrics/gateway.ts';
import { auditDenial, type Auditor } from '../audit.ts';
import { readJson, type JsonObject } from '../body.ts';
import type { Caller } from '../callers.ts';
import { GatewayError } from '../failure.ts';
import type { Fetched, Fetcher, Wanted } from './fetcher.ts';
import type { Slots } from './slots.ts';

/** The tool, as audit records call it. */
const TOOL = 'fetch_url';
/** Most bytes of text in an answer, and how many there are when nobody says. */
const MAX_BYTES = 65_536;

/** What fetches for runs. */
export interface FetchContext extends Auditor {
  readonly fetcher: Pick<Fetcher, 'fetch'>;
  readonly slots: Slots;
}

/**
 * Fetches what a run's `fetch_url` asks for. Forbidden and failed fetches are answers too, for the model to read.
 *
 * @throws GatewayError 400 when the request is not what a bridge sends, 429 when too much is under way
 */
export async function answerFetch(
  context: FetchContext,
  caller: Caller,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<Fetched> {
  const gone = new AbortController();
  response.once('close', () => {
    gone.abort();
  });
  const wanted = wantedIn(await readJson(request));
  const free = context.slots.take(`${caller.namespace}/${caller.run}`);
  if (free === undefined) {
    throw new GatewayError('too many fetches are under way: fetch fewer pages at once', {
      status: 429,
      code: 'too_many_fetches',
      retry: true,
    });
  }
  try {
    const fetched = await context.fetcher.fetch(wanted, caller.policy, gone.signal);
    if (fetched.denied !== undefined) {
      refused.add({ reason: 'fetch_denied' });
      auditDenial(context, caller, {
        action: 'fetch',
        tool: TOOL,
        rule: fetched.denied,
        arguments: { url: wanted.url },
      });
    }
    return fetched;
  } finally {
    free();
  }
}

/** Nothing else is taken from the request: how fetches are guarded is not the run's choice. */
function wantedIn({ url, as, max_bytes: most = MAX_BYTES }: JsonObject): Wanted {
  if (typeof url !== 'string') throw invalid(`'url' must be a text, got ${typeof url}`);
  if (typeof most !== 'number' || !Number.isInteger(most) || most < 1) {
    throw invalid(`'max_bytes' must be a whole number above 0, got ${JSON.stringify(most)}`);
  }
  return { url, source: as === 'source', maxBytes: Math.min(most, MAX_BYTES) };
}

const invalid = (message: string) => new GatewayError(message, { status: 400, code: 'invalid_request' });
