import type { ToAgent } from '../ipc/messages.ts';
import { type ChatAnswer, type ChatMessage, type ChatToolCall, chatRequest } from './chat.ts';
import type { ToolResult } from './mailbox.ts';

/** What a conversation is held with. */
export interface ConversationOptions {
  readonly task: Extract<ToAgent, { type: 'task' }>;
  readonly ask: (body: string) => Promise<ChatAnswer>;
  /** Calls a tool by way of the bridge; `id` is unique in the run. */
  readonly call: (id: string, tool: string, given: Readonly<Record<string, unknown>>) => Promise<ToolResult>;
  /** Called when an answer is complete, before its tools are called. */
  readonly onAnswer: (answer: ChatAnswer) => void;
  /** Keeps where the conversation stands, before each turn's tools are called. */
  readonly onCheckpoint: (state: ConversationState) => void;
}

/** Where a conversation stands whose last answer asks for tools: all that is needed to go on elsewhere. */
export interface ConversationState {
  /** What was said, the answer included. */
  readonly messages: readonly ChatMessage[];
  /** Calls that were made before those of the last answer. */
  readonly calls: number;
  /** Answers that the model gave. */
  readonly turns: number;
}

/**
 * Asks the model, calls the tools it wants, all of one turn together, and goes on until it answers without any. Where an
 * earlier attempt was lost, it begins with the calls that were under way there.
 */
export async function converse(options: ConversationOptions): Promise<string> {
  const { task, ask, call, onAnswer, onCheckpoint } = options;
  const { model, tools, limits } = task;
  const resumed = task.resume?.state as ConversationState | undefined;
  const messages: ChatMessage[] = [...(resumed?.messages ?? opening(task))];
  let calls = resumed?.calls ?? 0;
  const execute = async ({ id, function: { name, arguments: text } }: ChatToolCall): Promise<ChatMessage> => {
    calls += 1;
    const given = argumentsOf(text);
    const content =
      typeof given === 'string'
        ? `The arguments of ${name} are not a JSON object: ${given}. Call it again with correct JSON.`
        : (await call(`call-${calls}`, name, given).catch(failed)).content; // the model's ids repeat, ours don't
    return { role: 'tool', tool_call_id: id, content };
  };
  const executeAll = async (toolCalls: readonly ChatToolCall[]): Promise<void> => {
    messages.push(...(await Promise.all(toolCalls.map(execute))));
  };

  if (resumed !== undefined) await executeAll(pendingCalls(messages));
  for (let turn = (resumed?.turns ?? 0) + 1; turn <= limits.modelCalls; turn += 1) {
    const answer = await ask(chatRequest(model, messages, tools));
    onAnswer(answer);
    const { content, toolCalls, finishReason } = answer;
    if (toolCalls.length === 0) {
      if (content.trim() !== '') return content;
      throw new Error(
        `the model answered with nothing${finishReason === undefined ? '' : ` (finish reason ${finishReason})`}`,
      );
    }
    if (turn === limits.modelCalls) break; // no call is left to tell the model the results
    messages.push({ role: 'assistant', content: content === '' ? null : content, tool_calls: toolCalls });
    onCheckpoint({ messages, calls, turns: turn });
    await executeAll(toolCalls);
  }
  throw new Error(`the model still wanted to call tools after all of its ${limits.modelCalls} model calls`);
}

/** What the model is told first: its instructions, what was said before, and what is asked now. */
const opening = ({ input, systemPrompt = '', history = [] }: ConversationOptions['task']): ChatMessage[] => [
  ...(systemPrompt === '' ? [] : [{ role: 'system' as const, content: systemPrompt }]),
  ...history.map(({ role, content }) => ({ role, content })),
  { role: 'user', content: input },
];

/** The calls of the last answer. */
function pendingCalls(messages: readonly ChatMessage[]): readonly ChatToolCall[] {
  const last = messages.at(-1);
  return last?.role === 'assistant' ? (last.tool_calls ?? []) : [];
}

const failed = (error: unknown): ToolResult => ({
  ok: false,
  content: `The call failed: ${error instanceof Error ? error.message : String(error)}.`,
});

/** The arguments, or what is wrong with them. */
function argumentsOf(text: string): Readonly<Record<string, unknown>> | string {
  if (text.trim() === '') return {};
  try {
    const value = JSON.parse(text) as unknown;
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
    return `got ${Array.isArray(value) ? 'an array' : typeof value}`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
