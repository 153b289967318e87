import { Readable } from 'node:stream';
import { createAnthropic } from '@ai-sdk/anthropic';
import { ChatReply } from './chat-reply.ts';
import { toChat, type Chat } from './chat-request.ts';
import type { ProviderSpec } from './cluster.ts';
import { GatewayError } from './failure.ts';
import type { LanguageModel } from './language-model.ts';
import type { ModelCall, ModelReply, Provider } from './provider.ts';
import type { Upstream } from './upstream.ts';

const DEFAULT_BASE_URL = 'https://api.anthropic.com/v1';

/** Anthropic's Messages, spoken to runs as OpenAI's Chat Completions. Loaded when the first run needs it. */
export class AnthropicProvider implements Provider {
  readonly #upstream: Upstream;

  constructor(upstream: Upstream) {
    this.#upstream = upstream;
  }

  async call(call: ModelCall): Promise<ModelReply> {
    const { path, body, provider, signal } = call;
    if (path === '/models') return json(200, { object: 'list', data: [modelOf(provider.model)] });
    if (path !== '/chat/completions' || body === undefined) {
      throw new GatewayError(
        `provider 'anthropic' has no '/v1${path}': ask POST /v1/chat/completions, or give the instance a provider that has it`,
        { status: 404, code: 'unknown_path' },
      );
    }
    const chat = toChat(body);
    try {
      return await answer(this.#model(call), chat, provider.model, signal);
    } catch (error) {
      return refusal(error);
    }
  }

  async warm({ baseURL = DEFAULT_BASE_URL }: ProviderSpec): Promise<void> {
    await this.#upstream.connect(new URL(baseURL));
  }

  #model({ provider: { model, baseURL = DEFAULT_BASE_URL }, apiKey }: ModelCall): LanguageModel {
    // The SDK would look for both in the environment.
    return createAnthropic({ baseURL, apiKey: apiKey ?? 'none', fetch: this.#fetch(apiKey !== undefined) })(model);
  }

  /** The SDK's way out is ours: the same connections, time limits and sentences as for every provider. */
  #fetch(hasKey: boolean): typeof fetch {
    return async (url, init = {}) => {
      const headers = new Headers(init.headers);
      headers.set('accept-encoding', 'identity');
      if (!hasKey) headers.delete('x-api-key');
      const body = init.body as string;
      const answered = await this.#upstream.send({
        method: 'POST',
        url: new URL(url),
        headers: { ...Object.fromEntries(headers), 'content-length': Buffer.byteLength(body) },
        body,
        signal: init.signal ?? undefined,
      });
      const pairs = Object.entries(answered.headers).map(([name, value]): [string, string] => [name, String(value)]);
      return new Response(Readable.toWeb(answered), { status: answered.statusCode ?? 502, headers: pairs });
    };
  }
}

async function answer(model: LanguageModel, chat: Chat, name: string, signal: AbortSignal): Promise<ModelReply> {
  const options = { ...chat.options, abortSignal: signal };
  const reply = new ChatReply(name);
  if (!chat.stream) return json(200, reply.whole(await model.doGenerate(options)));
  const { stream } = await model.doStream(options);
  const events = reply.events(stream, chat.includeUsage);
  return {
    status: 200,
    headers: { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' },
    body: Readable.from(events, { objectMode: false }),
  };
}

/** What the SDK throws when the provider refuses. It also holds the prompt, so nothing else of it is passed on. */
interface CallError {
  readonly message: string;
  readonly statusCode?: number;
  readonly responseHeaders?: Readonly<Record<string, string>>;
  readonly data?: { readonly error?: { readonly type?: string; readonly message?: string } };
  readonly cause?: unknown;
}

function refusal(error: unknown): ModelReply {
  if (error instanceof GatewayError || (error as Error).name === 'AbortError') throw error;
  const { message, statusCode, responseHeaders = {}, data, cause } = error as CallError;
  // The SDK wraps what our own fetch threw.
  if (cause instanceof GatewayError) throw cause;
  if (statusCode === undefined || statusCode < 400) {
    throw new GatewayError(`the provider's answer could not be read: ${(error as Error).name}`, {
      status: 502,
      code: 'provider_error',
      retry: true,
    });
  }
  const retryAfter = responseHeaders['retry-after'];
  const { type = 'api_error', message: sentence = message } = data?.error ?? {};
  return json(
    statusCode,
    { error: { message: sentence, type, code: type } },
    retryAfter === undefined ? {} : { 'retry-after': retryAfter },
  );
}

const modelOf = (id: string) => ({ id, object: 'model', created: 0, owned_by: 'anthropic' });

const json = (status: number, body: object, headers: Record<string, string> = {}): ModelReply => ({
  status,
  headers: { ...headers, 'content-type': 'application/json' },
  body: Readable.from([JSON.stringify(body)], { objectMode: false }),
});
