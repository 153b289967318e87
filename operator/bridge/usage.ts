import type { Tokens } from './meter.ts';

type Json = Readonly<Record<string, unknown>>;

/** Tokens that an answer (or one chunk of it) says it took; `undefined` when it says nothing about them. */
export function tokensOf(answer: unknown): Tokens | undefined {
  if (!isJson(answer)) return undefined;
  // The Responses API wraps its answer in the event that completes it.
  const usage = answer.usage ?? (isJson(answer.response) ? answer.response.usage : undefined);
  if (!isJson(usage)) return undefined;
  return {
    input: count(usage.prompt_tokens ?? usage.input_tokens),
    output: count(usage.completion_tokens ?? usage.output_tokens),
  };
}

/** The sentence of an OpenAI-style error, or `undefined` when the body is none. */
export function errorOf(answer: unknown): string | undefined {
  if (!isJson(answer)) return undefined;
  const error = answer.error;
  const message = isJson(error) ? error.message : error;
  return typeof message === 'string' && message !== '' ? message.slice(0, 2000) : undefined;
}

/** Parses JSON of a stranger; `undefined` when it is none. */
export function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** Makes a streamed chat completion tell its tokens. `asked` is false when the client had asked for them itself. */
export function askForUsage(path: string, body: Buffer): { readonly body: Buffer; readonly asked: boolean } {
  const request = path.startsWith('/v1/chat/completions') ? jsonOf(body.toString()) : undefined;
  if (!isJson(request) || request.stream !== true) return { body, asked: false };
  const options = isJson(request.stream_options) ? request.stream_options : {};
  if (options.include_usage === true) return { body, asked: false };
  const changed = { ...request, stream_options: { ...options, include_usage: true } };
  return { body: Buffer.from(JSON.stringify(changed)), asked: true };
}

/** Whether a chunk is the one that tells the tokens, and nothing else. */
export const isUsageOnly = (chunk: unknown): boolean =>
  isJson(chunk) && isJson(chunk.usage) && Array.isArray(chunk.choices) && chunk.choices.length === 0;

const isJson = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);
const count = (value: unknown): number =>
  Number.isSafeInteger(value) && (value as number) > 0 ? (value as number) : 0;
