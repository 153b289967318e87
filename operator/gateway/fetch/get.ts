import { request, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Target } from './target.ts';

/** Most bytes that are read of an answer. */
export const MAX_READ_BYTES = 1024 * 1024;

/** An answer, as far as it was read. */
export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** Whether there was more than {@link MAX_READ_BYTES}. */
  readonly cut: boolean;
}

/** Headers of every fetch: nothing of the run, and nothing that a server could know one from. */
const HEADERS = {
  accept: 'text/html, text/plain, application/json, */*;q=0.5',
  // So that what is read is what counts: a small answer can't unfold into a large one.
  'accept-encoding': 'identity',
  'user-agent': 'Sympozium',
  connection: 'close',
};

/** Asks once over a connection that stands, and closes it. A redirect is an answer like any other. */
export async function get({ url }: Target, socket: Socket, signal: AbortSignal): Promise<Answer> {
  try {
    const answer = await head(url, socket, signal);
    const { statusCode: status = 0, headers } = answer;
    const isRedirect = status >= 300 && status < 400 && headers.location !== undefined;
    return { status, headers, ...(isRedirect ? { body: Buffer.alloc(0), cut: false } : await read(answer)) };
  } finally {
    socket.destroy();
  }
}

function head(url: URL, socket: Socket, signal: AbortSignal): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const outgoing = request({
      method: 'GET',
      path: url.pathname + url.search,
      headers: { host: url.host, ...HEADERS },
      createConnection: () => socket,
      signal,
    });
    outgoing.once('response', resolve);
    outgoing.on('error', reject);
    outgoing.end();
  });
}

async function read(answer: IncomingMessage): Promise<Pick<Answer, 'body' | 'cut'>> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    chunks.push(chunk.subarray(0, MAX_READ_BYTES - bytes));
    bytes += chunk.length;
    if (bytes > MAX_READ_BYTES) break;
  }
  return { body: Buffer.concat(chunks), cut: bytes > MAX_READ_BYTES };
}
