import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A chat request as the gateway got it. */
export interface Seen {
  readonly path: string;
  readonly authorization: string | undefined;
  readonly headers: IncomingMessage['headers'];
  readonly body: {
    readonly stream?: boolean;
    readonly stream_options?: { readonly include_usage?: boolean };
    readonly messages: readonly {
      readonly role: string;
      readonly content: string | null;
      readonly tool_call_id?: string;
    }[];
    readonly tools?: readonly { readonly function: { readonly name: string } }[];
  };
}

/** Answers one model call. */
export type Reply = (response: ServerResponse, seen: Seen) => void;

const USAGE = { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 };

const stream = (response: ServerResponse, seen: Seen, choices: readonly object[]): void => {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  for (const choice of choices)
    response.write(`data: ${JSON.stringify({ choices: [{ index: 0, ...choice }], usage: null })}\n\n`);
  if (seen.body.stream_options?.include_usage === true) {
    response.write(`data: ${JSON.stringify({ choices: [], usage: USAGE })}\n\n`);
  }
  response.end('data: [DONE]\n\n');
};

/** An answer in words, streamed one by one. */
export const says =
  (text: string): Reply =>
  (response, seen) => {
    const words = text.match(/\s*\S+|\s+/g) ?? [];
    stream(response, seen, [...words.map((content) => ({ delta: { content } })), { delta: {}, finish_reason: 'stop' }]);
  };

/** An answer that wants tools: each with its name and arguments (text is sent as it is, well-formed or not). */
export const calls =
  (...wanted: readonly (readonly [tool: string, given: object | string])[]): Reply =>
  (response, seen) => {
    const tool_calls = wanted.map(([name, given], index) => ({
      index,
      id: `call_${index}`, // the same in every turn, as some servers do
      type: 'function',
      function: { name, arguments: typeof given === 'string' ? given : JSON.stringify(given) },
    }));
    stream(response, seen, [{ delta: { tool_calls } }, { delta: {}, finish_reason: 'tool_calls' }]);
  };

/** An error in OpenAI's shape. */
export const fails =
  (status: number, message: string, headers: Readonly<Record<string, string>> = {}): Reply =>
  (response) => {
    response
      .writeHead(status, { 'content-type': 'application/json', ...headers })
      .end(JSON.stringify({ error: { message } }));
  };

/** A whole answer, from a server that doesn't stream. */
export const saysAtOnce =
  (content: string): Reply =>
  (response) => {
    const body = { choices: [{ message: { role: 'assistant', content }, finish_reason: 'stop' }], usage: USAGE };
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  };

/** Stands for the gateway: plays replies in turn, the last one for ever, and remembers what it was asked. */
export class FakeGateway {
  readonly seen: Seen[] = [];
  readonly warmed: string[] = [];
  /** What it was asked to fetch, and how it answers. */
  readonly fetches: { readonly authorization: string | undefined; readonly body: unknown }[] = [];
  onFetch: (response: ServerResponse) => void = (response) => response.end('{"ok":true,"content":"a page"}');
  connections = 0;
  #replies: Reply[] = [];
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => void this.#answer(request, response));
    this.#server.on('connection', () => (this.connections += 1));
  }

  static async start(...replies: Reply[]): Promise<FakeGateway> {
    const gateway = new FakeGateway();
    gateway.#replies = replies;
    await gateway.listen(0);
    return gateway;
  }

  async listen(port: number): Promise<void> {
    this.#server.listen(port, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    if (!this.#server.listening) return;
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let text = '';
    for await (const chunk of request) text += String(chunk);
    const { authorization } = request.headers;
    if (request.url === '/v1/warm') {
      this.warmed.push(authorization ?? '');
      response.writeHead(204).end();
      return;
    }
    if (request.url === '/fetch') {
      this.fetches.push({ authorization, body: JSON.parse(text) as unknown });
      this.onFetch(response);
      return;
    }
    const seen = {
      path: request.url ?? '',
      authorization,
      headers: request.headers,
      body: (text === '' ? { messages: [] } : JSON.parse(text)) as Seen['body'],
    };
    this.seen.push(seen);
    const reply = this.#replies.length > 1 ? this.#replies.shift() : this.#replies[0];
    reply?.(response, seen);
  }
}
