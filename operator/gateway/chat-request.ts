import { z } from 'zod';
import type { JsonObject } from './body.ts';
import { GatewayError } from './failure.ts';
import type { CallOptions, Prompt } from './language-model.ts';

/** Text, or a list of texts: nothing else is translated. */
const text = z
  .union([z.string(), z.array(z.object({ type: z.literal('text'), text: z.string() }))])
  .nullish()
  .transform((value) => (typeof value === 'string' ? value : (value ?? []).map((part) => part.text).join('')));

const toolCall = z.object({
  id: z.string(),
  function: z.object({ name: z.string(), arguments: z.string() }),
});

const message = z.discriminatedUnion('role', [
  z.object({ role: z.literal(['system', 'developer']), content: text }),
  z.object({ role: z.literal('user'), content: text }),
  z.object({ role: z.literal('assistant'), content: text, tool_calls: z.array(toolCall).nullish() }),
  z.object({ role: z.literal('tool'), content: text, tool_call_id: z.string() }),
]);

const tool = z.object({
  type: z.literal('function'),
  function: z.object({
    name: z.string(),
    description: z.string().optional(),
    parameters: z.record(z.string(), z.unknown()).optional(),
  }),
});

const toolChoice = z.union([
  z.enum(['auto', 'none', 'required']),
  z.object({ type: z.literal('function'), function: z.object({ name: z.string() }) }),
]);

const responseFormat = z.discriminatedUnion('type', [
  z.object({ type: z.literal('text') }),
  z.object({ type: z.literal('json_object') }),
  z.object({
    type: z.literal('json_schema'),
    json_schema: z.object({ name: z.string().optional(), schema: z.record(z.string(), z.unknown()).optional() }),
  }),
]);

/** A request of OpenAI's Chat Completions, as far as it is translated; other fields have no counterpart. */
const chatRequest = z.object({
  messages: z.array(message).min(1),
  stream: z.boolean().nullish(),
  stream_options: z.object({ include_usage: z.boolean().nullish() }).nullish(),
  max_tokens: z.int().min(1).nullish(),
  max_completion_tokens: z.int().min(1).nullish(),
  temperature: z.number().nullish(),
  top_p: z.number().nullish(),
  stop: z.union([z.string(), z.array(z.string())]).nullish(),
  tools: z.array(tool).nullish(),
  tool_choice: toolChoice.nullish(),
  parallel_tool_calls: z.boolean().nullish(),
  response_format: responseFormat.nullish(),
});

type ChatRequest = z.infer<typeof chatRequest>;

/** A chat, as the AI SDK's models understand it. */
export interface Chat {
  readonly stream: boolean;
  readonly includeUsage: boolean;
  readonly options: CallOptions;
}

/**
 * Translates a request of OpenAI's Chat Completions.
 *
 * @throws GatewayError 400 that names each field that can't be translated
 */
export function toChat(body: JsonObject): Chat {
  const parsed = chatRequest.safeParse(body);
  if (!parsed.success) {
    const problems = parsed.error.issues.map(({ path, message: problem }) => `${path.join('.')}: ${problem}`);
    throw new GatewayError(`the request can't be translated for this provider: ${problems.join('; ')}`, {
      status: 400,
      code: 'invalid_request',
    });
  }
  const request = parsed.data;
  return {
    stream: request.stream === true,
    includeUsage: request.stream_options?.include_usage === true,
    options: { prompt: toPrompt(request.messages), ...toSettings(request), ...toTools(request) },
  };
}

function toSettings(request: ChatRequest): Partial<CallOptions> {
  const { temperature, top_p: topP, stop, response_format: format } = request;
  const maxOutputTokens = request.max_completion_tokens ?? request.max_tokens;
  return defined({
    maxOutputTokens,
    temperature,
    topP,
    stopSequences: typeof stop === 'string' ? [stop] : stop,
    responseFormat:
      format === undefined || format === null || format.type === 'text'
        ? undefined
        : { type: 'json', ...(format.type === 'json_schema' ? defined(format.json_schema) : {}) },
    providerOptions:
      request.parallel_tool_calls === false ? { anthropic: { disableParallelToolUse: true } } : undefined,
  });
}

function toTools({ tools, tool_choice: choice }: ChatRequest): Partial<CallOptions> {
  if (tools === undefined || tools === null || tools.length === 0) return {};
  return defined({
    tools: tools.map(({ function: { name, description, parameters } }) => ({
      type: 'function' as const,
      name,
      inputSchema: parameters ?? { type: 'object', properties: {} },
      ...defined({ description }),
    })),
    toolChoice:
      choice === undefined || choice === null
        ? undefined
        : typeof choice === 'string'
          ? { type: choice }
          : { type: 'tool', toolName: choice.function.name },
  });
}

function toPrompt(messages: ChatRequest['messages']): Prompt {
  const names = new Map<string, string>();
  // Anthropic has one system text, before everything else.
  const system = messages.flatMap(({ role, content }) => (role === 'system' || role === 'developer' ? [content] : []));
  const prompt: Prompt = system.length === 0 ? [] : [{ role: 'system', content: system.join('\n\n') }];
  for (const entry of messages) {
    if (entry.role === 'user') prompt.push({ role: 'user', content: [{ type: 'text', text: entry.content }] });
    if (entry.role === 'assistant') {
      const calls = (entry.tool_calls ?? []).map(({ id, function: { name, arguments: input } }) => {
        names.set(id, name);
        return { type: 'tool-call' as const, toolCallId: id, toolName: name, input: toInput(input) };
      });
      // An empty text is refused by Anthropic.
      const said = entry.content === '' ? [] : [{ type: 'text' as const, text: entry.content }];
      prompt.push({ role: 'assistant', content: [...said, ...calls] });
    }
    if (entry.role === 'tool') {
      const { tool_call_id: toolCallId, content } = entry;
      const output = { type: 'text' as const, value: content };
      const toolName = names.get(toolCallId) ?? 'unknown';
      prompt.push({ role: 'tool', content: [{ type: 'tool-result', toolCallId, toolName, output }] });
    }
  }
  return prompt;
}

/** The arguments a model once wrote: an object, or kept as text when it wrote something else. */
function toInput(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch {
    // below
  }
  return text.trim() === '' ? {} : { arguments: text };
}

type Defined<T> = { [K in keyof T]?: NonNullable<T[K]> };

/** The fields that are set: the AI SDK tells "undefined" from "not there". */
const defined = <T extends object>(fields: T): Defined<T> =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined && value !== null)) as Defined<T>;
