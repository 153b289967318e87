import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { z } from 'zod';
import { ChatWriter, chatRequest } from './chat.ts';
import { PromptTooLong, type Generator } from './generator.ts';
import { Queue } from './queue.ts';

const MAX_BODY_BYTES = 1024 * 1024;
/** Requests that may wait for the one that is answered. */
const MAX_WAITING = 16;

/** An HTTP server with the part of OpenAI's API that agents need: chat completions, whole and streamed, and models. */
export function createModelServer(generator: Generator): Server {
  const queue = new Queue(MAX_WAITING);
  return createServer((request, response) => {
    void answer(generator, queue, request, response).catch((error: unknown) => {
      const [status, code] = error instanceof PromptTooLong ? [400, 'context_length_exceeded'] : [500, 'server_error'];
      if (response.headersSent || response.destroyed) response.destroy();
      else fail(response, status, error instanceof Error ? error.message : String(error), code);
    });
  });
}

async function answer(
  generator: Generator,
  queue: Queue,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const route = `${request.method ?? ''} ${request.url?.split('?')[0] ?? ''}`;
  if (route === 'POST /v1/chat/completions') {
    await enqueue(generator, queue, request, response);
  } else if (route === 'GET /v1/models') {
    const model = { id: generator.name, object: 'model', created: 0, owned_by: 'huggingface' };
    json(response, 200, { object: 'list', data: [model] });
  } else if (route === 'GET /healthz') {
    response.end('ok\n');
  } else {
    fail(response, 404, `there is no '${route}': ask POST /v1/chat/completions or GET /v1/models`);
  }
}

async function enqueue(
  generator: Generator,
  queue: Queue,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const parsed = chatRequest.safeParse(parse(await read(request)));
  if (!parsed.success) {
    fail(response, 400, z.prettifyError(parsed.error));
    return;
  }
  const done = queue.run(() => chat(generator, parsed.data, response));
  if (done !== undefined) {
    await done;
    return;
  }
  response.setHeader('retry-after', '5');
  fail(response, 429, `${MAX_WAITING} requests are waiting already: ask again later`, 'rate_limit_exceeded');
}

async function chat(
  generator: Generator,
  { messages, maxTokens, stop, stream, includeUsage }: z.infer<typeof chatRequest>,
  response: ServerResponse,
): Promise<void> {
  if (response.destroyed) return; // went away while it waited
  const gone = new AbortController();
  response.once('close', () => {
    gone.abort();
  });
  const writer = new ChatWriter(`chatcmpl-${randomUUID()}`, generator.name, Math.floor(Date.now() / 1000));
  const send = (event: object): void => {
    if (!response.headersSent) {
      response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
      response.write(`data: ${JSON.stringify(writer.chunk({ role: 'assistant', content: '' }))}\n\n`);
    }
    response.write(`data: ${JSON.stringify(event)}\n\n`);
  };
  const generated = await generator.generate({
    messages,
    maxTokens,
    stop,
    signal: gone.signal,
    onText: (text) => {
      if (stream) send(writer.chunk({ content: text }));
    },
  });
  if (!stream) {
    json(response, 200, writer.completion(generated));
    return;
  }
  send(writer.chunk({}, generated.finishReason));
  if (includeUsage) send(writer.usage(generated));
  response.end('data: [DONE]\n\n');
}

async function read(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) throw new PromptTooLong(`the body is larger than ${MAX_BODY_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // refused by the schema
  }
}

function json(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

const fail = (response: ServerResponse, status: number, message: string, code = 'invalid_request') => {
  json(response, status, { error: { message, type: status < 500 ? 'invalid_request_error' : 'api_error', code } });
};
