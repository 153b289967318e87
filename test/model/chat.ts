import { z } from 'zod';
import type { Generated, Message } from './generator.ts';

/** Longest answer, in tokens: the model has nothing to say beyond it. */
const MAX_TOKENS = 160;

const content = z
  .union([z.string(), z.array(z.object({ type: z.string(), text: z.string().optional() }))])
  .nullish()
  .transform((value) => (typeof value === 'string' ? value : (value ?? []).map(({ text }) => text ?? '').join('')));

/**
 * A request to `/v1/chat/completions`, as far as this server obeys it.
 *
 * `tools` are accepted and not looked at: a model of 135 million parameters never calls one well. Nor is
 * `temperature`: answers are always the likeliest, so that a demo shows the same each time.
 */
export const chatRequest = z
  .object({
    messages: z.array(z.object({ role: z.enum(['system', 'developer', 'user', 'assistant', 'tool']), content })).min(1),
    stream: z.boolean().nullish(),
    stream_options: z.object({ include_usage: z.boolean().nullish() }).nullish(),
    max_tokens: z.int().min(1).nullish(),
    max_completion_tokens: z.int().min(1).nullish(),
    stop: z.union([z.string(), z.array(z.string()).max(4)]).nullish(),
  })
  .transform((request) => ({
    messages: request.messages.map(toMessage),
    stream: request.stream === true,
    includeUsage: request.stream_options?.include_usage === true,
    maxTokens: Math.min(request.max_completion_tokens ?? request.max_tokens ?? MAX_TOKENS, MAX_TOKENS),
    stop: typeof request.stop === 'string' ? [request.stop] : (request.stop ?? []),
  }));

/** SmolLM2 was trained on three roles: the others speak as the nearest of them. */
function toMessage({ role, content: text }: { role: string; content: string }): Message {
  if (role === 'developer') return { role: 'system', content: text };
  if (role === 'tool') return { role: 'user', content: `Result of the tool: ${text}` };
  return { role, content: text };
}

/** Writes the objects of one answer, as OpenAI's API spells them. */
export class ChatWriter {
  readonly #head: object;
  readonly #id: string;

  constructor(id: string, model: string, created: number) {
    this.#id = id;
    this.#head = { created, model };
  }

  /** The whole answer. */
  completion(generated: Generated): object {
    const { text, finishReason } = generated;
    const message = { role: 'assistant', content: text };
    const choices = [{ index: 0, message, finish_reason: finishReason, logprobs: null }];
    return { id: this.#id, object: 'chat.completion', ...this.#head, choices, usage: usageOf(generated) };
  }

  /** A piece of a streamed answer. */
  chunk(delta: { role?: 'assistant'; content?: string }, finishReason: string | null = null): object {
    return this.#chunk([{ index: 0, delta, finish_reason: finishReason, logprobs: null }]);
  }

  /** The last piece, when usage was asked for. */
  usage(generated: Generated): object {
    return { ...this.#chunk([]), usage: usageOf(generated) };
  }

  #chunk(choices: readonly object[]): object {
    return { id: this.#id, object: 'chat.completion.chunk', ...this.#head, choices };
  }
}

const usageOf = ({ promptTokens, completionTokens }: Generated) => ({
  prompt_tokens: promptTokens,
  completion_tokens: completionTokens,
  total_tokens: promptTokens + completionTokens,
});
