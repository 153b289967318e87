import { randomUUID } from 'node:crypto';
import type { FinishReason, GenerateResult, StreamPart, Usage } from './language-model.ts';

/** Translates what a model of the AI SDK said into OpenAI's Chat Completions: one writer per answer. */
export class ChatReply {
  readonly #model: string;
  readonly #created = Math.floor(Date.now() / 1000);
  #id = `chatcmpl-${randomUUID()}`;
  /** Tool calls of this answer, in their order; the values say whether arguments were sent. */
  readonly #calls = new Map<string, { index: number; sent: boolean }>();

  constructor(model: string) {
    this.#model = model;
  }

  /** The body of a whole answer. */
  whole({ content, finishReason, usage, response }: GenerateResult): object {
    const text = content.flatMap((part) => (part.type === 'text' ? [part.text] : [])).join('');
    const calls = content.flatMap((part) => (part.type === 'tool-call' ? [part] : []));
    const message = {
      role: 'assistant',
      content: text === '' && calls.length > 0 ? null : text,
      refusal: null,
      ...(calls.length === 0
        ? {}
        : {
            tool_calls: calls.map(({ toolCallId, toolName, input }) => ({
              id: toolCallId,
              type: 'function',
              function: { name: toolName, arguments: input },
            })),
          }),
    };
    return {
      id: response?.id ?? this.#id,
      object: 'chat.completion',
      created: this.#created,
      model: this.#model,
      choices: [{ index: 0, message, logprobs: null, finish_reason: toFinishReason(finishReason) }],
      usage: toUsage(usage),
    };
  }

  /**
   * The events of a streamed answer.
   *
   * @throws Error after the event that says so, when the provider breaks off: the connection is then cut, because an
   * orderly end would pass for a whole answer
   */
  async *events(parts: AsyncIterable<StreamPart>, includeUsage: boolean): AsyncGenerator<string> {
    let begun = false;
    let last: Extract<StreamPart, { type: 'finish' }> | undefined;
    for await (const part of parts) {
      if (part.type === 'response-metadata' && part.id !== undefined) this.#id = part.id;
      if (part.type === 'error') {
        yield event({ error: { message: sentenceOf(part.error), type: 'api_error', code: 'provider_error' } });
        throw new Error('the provider broke off its answer with an error');
      }
      if (part.type === 'finish') last = part;
      const delta = this.#delta(part);
      if (delta === undefined) continue;
      if (!begun) yield this.#chunk({ role: 'assistant', content: '' });
      begun = true;
      yield this.#chunk(delta);
    }
    if (last === undefined) throw new Error('the provider broke off its answer');
    if (!begun) yield this.#chunk({ role: 'assistant', content: '' });
    yield this.#chunk({}, toFinishReason(last.finishReason));
    if (includeUsage) yield event({ ...this.#head(), choices: [], usage: toUsage(last.usage) });
    yield 'data: [DONE]\n\n';
  }

  #delta(part: StreamPart): object | undefined {
    if (part.type === 'text-delta') return { content: part.delta };
    if (part.type === 'tool-input-start') return this.#call(part.id, part.toolName);
    if (part.type === 'tool-input-delta') return this.#arguments(part.id, part.delta);
    if (part.type !== 'tool-call') return undefined;
    // Says all of a call once more; what nobody sent piece by piece, such as `{}`, is sent now.
    const known = this.#calls.get(part.toolCallId);
    if (known === undefined) return this.#call(part.toolCallId, part.toolName, part.input);
    return known.sent ? undefined : this.#arguments(part.toolCallId, part.input);
  }

  #call(id: string, name: string, input = ''): object {
    const index = this.#calls.size;
    this.#calls.set(id, { index, sent: input !== '' });
    return { tool_calls: [{ index, id, type: 'function', function: { name, arguments: input } }] };
  }

  #arguments(id: string, text: string): object | undefined {
    const call = this.#calls.get(id);
    if (call === undefined || text === '') return undefined;
    call.sent = true;
    return { tool_calls: [{ index: call.index, function: { arguments: text } }] };
  }

  #head() {
    return { id: this.#id, object: 'chat.completion.chunk', created: this.#created, model: this.#model };
  }

  #chunk(delta: object, finishReason: string | null = null): string {
    return event({ ...this.#head(), choices: [{ index: 0, delta, logprobs: null, finish_reason: finishReason }] });
  }
}

const event = (data: object): string => `data: ${JSON.stringify(data)}\n\n`;

/** The sentence in an error of a stream: an Error, or what the provider sent as its own. */
function sentenceOf(error: unknown): string {
  const { message } = (error ?? {}) as { message?: unknown };
  return typeof message === 'string' ? message : 'the provider broke off its answer with an error';
}

function toFinishReason({ unified }: FinishReason): string {
  switch (unified) {
    case 'length':
      return 'length';
    case 'tool-calls':
      return 'tool_calls';
    case 'content-filter':
      return 'content_filter';
    case 'stop':
    case 'error':
    case 'interrupted':
    case 'other':
      return 'stop';
  }
}

function toUsage({ inputTokens, outputTokens }: Usage) {
  const { total: prompt_tokens = 0, cacheRead = 0 } = inputTokens;
  const { total: completion_tokens = 0 } = outputTokens;
  return {
    prompt_tokens,
    completion_tokens,
    total_tokens: prompt_tokens + completion_tokens,
    prompt_tokens_details: { cached_tokens: cacheRead },
  };
}
