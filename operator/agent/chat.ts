import type { ToolDefinition } from '../ipc/messages.ts';

/** One entry of a conversation, as OpenAI's Chat Completions take it. */
export type ChatMessage =
  | { readonly role: 'system' | 'user'; readonly content: string }
  | { readonly role: 'assistant'; readonly content: string | null; readonly tool_calls?: readonly ChatToolCall[] }
  | { readonly role: 'tool'; readonly tool_call_id: string; readonly content: string };

/** A tool call as the model writes it: `arguments` is JSON text, as good or bad as the model made it. */
export interface ChatToolCall {
  readonly id: string;
  readonly type: 'function';
  readonly function: { readonly name: string; readonly arguments: string };
}

/** What the model answered. */
export interface ChatAnswer {
  readonly content: string;
  readonly toolCalls: readonly ChatToolCall[];
  readonly finishReason?: string;
}

/** Body of a request. */
export const chatRequest = (
  model: string,
  messages: readonly ChatMessage[],
  tools: readonly ToolDefinition[],
): string =>
  JSON.stringify({
    model,
    messages,
    ...(tools.length === 0 ? {} : { tools: tools.map((tool) => ({ type: 'function', function: tool })) }),
    stream: true,
  });

/** One chunk of a streamed answer, or a whole answer: the same shape but for the name of the message. */
export interface ChatChunk {
  readonly error?: unknown;
  readonly choices?: readonly {
    readonly delta?: ChatPart;
    readonly message?: ChatPart;
    readonly finish_reason?: string | null;
  }[];
}

interface ChatPart {
  readonly content?: string | readonly { readonly text?: string }[] | null;
  readonly refusal?: string | null;
  readonly tool_calls?: readonly PartialCall[] | null;
}

interface PartialCall {
  readonly index?: number;
  readonly id?: string | null;
  readonly function?: { readonly name?: string | null; readonly arguments?: unknown };
}

interface GrowingCall {
  id: string;
  name: string;
  arguments: string;
}

/** Puts an answer together from its chunks. Forgiving, because many servers speak this almost right. */
export class AnswerBuilder {
  #content = '';
  #finishReason: string | undefined;
  readonly #calls: GrowingCall[] = [];
  readonly #byIndex = new Map<number, GrowingCall>();

  /** Takes a chunk, and returns the text it adds. */
  add(chunk: ChatChunk): string {
    const choice = chunk.choices?.[0];
    this.#finishReason = choice?.finish_reason ?? this.#finishReason;
    const part = choice?.delta ?? choice?.message;
    if (part === undefined) return '';
    for (const call of part.tool_calls ?? []) this.#addCall(call);
    const text = textOf(part);
    this.#content += text;
    return text;
  }

  get answer(): ChatAnswer {
    return {
      content: this.#content,
      toolCalls: this.#calls.map(({ id, name, arguments: given }, index) => ({
        id: id === '' ? `call_${index}` : id,
        type: 'function',
        function: { name, arguments: given },
      })),
      ...(this.#finishReason === undefined ? {} : { finishReason: this.#finishReason }),
    };
  }

  #addCall({ index, id, function: part = {} }: PartialCall): void {
    const call = this.#callFor(index, id ?? '');
    if (call.name === '') call.name = part.name ?? '';
    const given = part.arguments ?? '';
    call.arguments += typeof given === 'string' ? given : JSON.stringify(given);
  }

  #callFor(index: number | undefined, id: string): GrowingCall {
    const known = index === undefined ? (id === '' ? this.#calls.at(-1) : undefined) : this.#byIndex.get(index);
    // Some servers give every call the index 0: another id is another call.
    if (known !== undefined && (id === '' || known.id === '' || known.id === id)) {
      if (known.id === '') known.id = id;
      return known;
    }
    const call = { id, name: '', arguments: '' };
    this.#calls.push(call);
    if (index !== undefined) this.#byIndex.set(index, call);
    return call;
  }
}

function textOf({ content, refusal }: ChatPart): string {
  if (typeof content === 'string' && content !== '') return content;
  if (Array.isArray(content)) return content.map(({ text }: { text?: string }) => text ?? '').join('');
  return refusal ?? '';
}
