import type { IncomingMessage } from 'node:http';
import { GatewayError } from './failure.ts';

/** Most bytes of a request's body. */
export const MAX_BODY_BYTES = 8 * 1024 * 1024;
/** Beyond the limit the rest is read and dropped up to here, so that the caller gets to read why it was refused. */
const MAX_DRAINED_BYTES = 4 * MAX_BODY_BYTES;

/** A JSON object that a caller sent. */
export type JsonObject = Readonly<Record<string, unknown>>;

/**
 * The JSON object in a request's body.
 *
 * @throws GatewayError 413 when it is too large, 400 when it is not a JSON object
 */
export async function readJson(request: AsyncIterable<Buffer> & Pick<IncomingMessage, 'headers'>): Promise<JsonObject> {
  const text = (await readBody(request)).toString();
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw invalid(`the body is not JSON: ${(cause as Error).message}`, cause);
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as JsonObject;
  throw invalid(`the body must be a JSON object, got ${Array.isArray(value) ? 'a list' : typeof value}`);
}

async function readBody(request: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += chunk.length;
    if (bytes <= MAX_BODY_BYTES) chunks.push(chunk);
    else chunks.length = 0;
    if (bytes > MAX_DRAINED_BYTES) break;
  }
  if (bytes <= MAX_BODY_BYTES)
    return chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks);
  throw new GatewayError(`the body is larger than ${MAX_BODY_BYTES} bytes: send a shorter conversation`, {
    status: 413,
    code: 'body_too_large',
  });
}

const invalid = (message: string, cause?: unknown) =>
  new GatewayError(message, { status: 400, code: 'invalid_json', cause });
