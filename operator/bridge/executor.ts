import type { RunEvent } from '../bus/messages.ts';
import type { AgentMessage, ToolDefinition } from '../ipc/messages.ts';

/** One thing that happened, without what every event has. */
export type Happening = RunEvent extends infer E ? (E extends RunEvent ? Omit<E, 'v' | 'uid' | 'at'> : never) : never;

export type ToolCall = Extract<AgentMessage, { type: 'tool-call' }>;
export type ToolResult = Extract<AgentMessage, { type: 'tool-result' }>;

/**
 * Someone who executes tools: the agent itself for the built-in ones, a sidecar, the bridge. It answers each call that it
 * was sent with one result, given to the dispatcher's `result`, now or later.
 */
export interface Executor {
  readonly tools: readonly ToolDefinition[];
  /** Hands a call over. @throws Error with a sentence for the model when that can't be done */
  readonly send: (call: ToolCall) => void | Promise<void>;
  /** What keeps a call from being made, in a sentence for the model; asked before a person is. */
  problem?(call: ToolCall): string | undefined;
}
