import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http';

/** Headers that speak of one connection only: RFC 9110, section 7.6.1. */
const HOP_BY_HOP = [
  'connection', 'keep-alive', 'proxy-authenticate', 'proxy-authorization', 'proxy-connection', 'te', 'trailer',
  'transfer-encoding', 'upgrade',
]; // prettier-ignore

/** What a run says that is not for the provider: its own token, and what the gateway sets anew. */
const NOT_UPSTREAM = new Set([
  ...HOP_BY_HOP, 'accept-encoding', 'api-key', 'authorization', 'content-encoding', 'content-length', 'cookie',
  'expect', 'forwarded', 'host', 'x-api-key', 'x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto',
]); // prettier-ignore

/** What a provider says that is not for the run. */
const NOT_DOWNSTREAM = new Set([...HOP_BY_HOP, 'alt-svc', 'location', 'set-cookie', 'strict-transport-security']);

/** Headers that go on to the provider. */
export const upstreamHeaders = (headers: IncomingHttpHeaders): OutgoingHttpHeaders => without(headers, NOT_UPSTREAM);

/** Headers that go back to the run, with the provider's key blackened where one echoes it. */
export function downstreamHeaders(headers: IncomingHttpHeaders, secret: string | undefined): OutgoingHttpHeaders {
  const kept = without(headers, NOT_DOWNSTREAM);
  if (secret === undefined) return kept;
  for (const [name, value] of Object.entries(kept)) {
    if (String(value).includes(secret)) kept[name] = String(value).replaceAll(secret, '*'.repeat(secret.length));
  }
  return kept;
}

function without(headers: IncomingHttpHeaders, unwanted: ReadonlySet<string>): OutgoingHttpHeaders {
  // Whoever sends `Connection: x-foo` declares x-foo to be hop-by-hop too.
  const named = headers.connection?.toLowerCase().split(/\s*,\s*/) ?? [];
  const kept: OutgoingHttpHeaders = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined || unwanted.has(name) || named.includes(name) || name.startsWith('x-sympozium-')) continue;
    kept[name] = value;
  }
  return kept;
}
