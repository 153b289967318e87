import { KubeError, isKubeError } from './errors.ts';
import type { KubeObject, WatchEvent } from './port.ts';

/** The server ends a watch after this time; another begins where it ended. */
const WATCH_SECONDS = 300;
/** Bookmarks come every minute: a connection that is silent for longer is dead. */
const IDLE_MS = 150_000;

/** Opens a watch request; `stop` ends it. */
export type OpenWatch = (timeoutSeconds: number, stop: AbortSignal) => Promise<AsyncIterable<Buffer>>;

/**
 * Reads a watch until the server ends it.
 *
 * A version that is too old is the event `EXPIRED`, not an error. A connection on which nothing comes any more is
 * given up with an error.
 */
export async function* readWatch<T extends KubeObject>(
  open: OpenWatch,
  signal: AbortSignal,
): AsyncGenerator<WatchEvent<T>> {
  const dead = new AbortController();
  const timer = setTimeout(() => {
    dead.abort(new Error('nothing came for too long'));
  }, IDLE_MS);
  try {
    const response = await open(WATCH_SECONDS, AbortSignal.any([signal, dead.signal]));
    for await (const line of lines(response)) {
      timer.refresh();
      const event = parse<T>(line);
      yield event;
      if (event.type === 'EXPIRED') return;
    }
  } catch (error) {
    if (!isKubeError(error, 'Expired')) throw error;
    yield { type: 'EXPIRED' };
  } finally {
    clearTimeout(timer);
    dead.abort(); // frees the connection when the reader stops before the server does
  }
}

interface RawEvent<T> {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  readonly object: T;
}

function parse<T extends KubeObject>(line: string): WatchEvent<T> {
  const { type, object } = JSON.parse(line) as RawEvent<T>;
  if (type === 'BOOKMARK') return { type, resourceVersion: object.metadata.resourceVersion ?? '' };
  if (type !== 'ERROR') return { type, object };
  const { code = 500, message = 'no message' } = object as unknown as { code?: number; message?: string };
  if (code === 410) return { type: 'EXPIRED' };
  throw new KubeError('Unavailable', code, `watch: ${message}`);
}

/** Splits a stream into lines; an object may be larger than a chunk. */
async function* lines(stream: AsyncIterable<Buffer>): AsyncGenerator<string> {
  let parts: Buffer[] = [];
  for await (const chunk of stream) {
    let from = 0;
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, from)) {
      parts.push(chunk.subarray(from, end));
      yield Buffer.concat(parts).toString('utf8');
      parts = [];
      from = end + 1;
    }
    if (from < chunk.length) parts.push(chunk.subarray(from));
  }
}
