import type { IncomingMessage } from 'node:http';
import { ApiError, invalid } from './failure.ts';

/** Most bytes of a request: more than the longest history that a run takes. */
export const MAX_BODY_BYTES = 2 * 1024 * 1024;
/** Beyond the limit the rest is read and dropped up to here, so that the caller gets to read why it was refused. */
const MAX_DRAINED_BYTES = 4 * MAX_BODY_BYTES;

/** A JSON object that a caller sent. */
export type JsonObject = Readonly<Record<string, unknown>>;

/**
 * The JSON object in a request's body.
 *
 * @throws ApiError 413 when it is too large, 400 when it is not a JSON object
 */
export async function readJson(request: AsyncIterable<Buffer> & Pick<IncomingMessage, 'headers'>): Promise<JsonObject> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += chunk.length;
    if (bytes <= MAX_BODY_BYTES) chunks.push(chunk);
    if (bytes > MAX_DRAINED_BYTES) break;
  }
  if (bytes > MAX_BODY_BYTES) {
    const message = `the body is larger than ${MAX_BODY_BYTES} bytes: send a shorter conversation`;
    throw new ApiError(message, { status: 413, code: 'body_too_large' });
  }
  let value: unknown;
  try {
    value = JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch (cause) {
    throw invalid(`the body is not JSON: ${(cause as Error).message}`);
  }
  if (isObject(value)) return value;
  throw invalid(`the body must be a JSON object, got ${Array.isArray(value) ? 'a list' : typeof value}`);
}

/** Whether a value is a JSON object. */
export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
