/**
 * Messages of the IPC protocol, version 1: the public contract between a run's containers.
 *
 * A mailbox is a directory with `in/` (read by its owner) and `out/` (written by its owner). A message is one JSON
 * file named `<sequence>-<type>.json`, written under another name first and then renamed. `docs/ipc.md` describes it.
 */

/** Version that every message carries. */
export const IPC_VERSION = 1;
/** Most bytes of one message file. */
export const MAX_MESSAGE_BYTES = 1_048_576;
/** Most levels of objects and arrays in one message. */
export const MAX_MESSAGE_DEPTH = 64;

interface Message {
  readonly v: 1;
  readonly id: string;
}

/** What an agent may write. */
export type AgentMessage = Message &
  (
    | { readonly type: 'tool-call'; readonly tool: string; readonly arguments: Readonly<Record<string, unknown>> }
    /** The result of a call that was dispatched to this mailbox; `id` is the call's. */
    | { readonly type: 'tool-result'; readonly ok: boolean; readonly content: string }
    | { readonly type: 'delta'; readonly text: string }
    | { readonly type: 'log'; readonly text: string }
    | { readonly type: 'result'; readonly output: string }
    | { readonly type: 'error'; readonly message: string }
    /**
     * What this agent needs to go on elsewhere, before it calls tools: any JSON. Should its Pod be lost while a call waits
     * for a person, another attempt gets it back, and makes the same calls again with the same ids: each runs once.
     */
    | { readonly type: 'checkpoint'; readonly state: unknown }
  );

/** What the sidecar of a skill may write. */
export type SidecarMessage = Message &
  (
    | { readonly type: 'tool-result'; readonly ok: boolean; readonly content: string }
    | { readonly type: 'log'; readonly text: string }
  );

/** What the sidecar of a skill reads. */
export type ToSidecar = Message &
  (
    | {
        readonly type: 'tool-call';
        readonly tool: string;
        readonly arguments: Readonly<Record<string, unknown>>;
        /** Program and arguments to run, with the call's arguments filled in: each is one word, no shell is involved. */
        readonly exec: readonly string[];
      }
    | { readonly type: 'rejected'; readonly content: string }
    | { readonly type: 'cancel' }
  );

/** One turn of an earlier conversation. */
export interface Turn {
  readonly role: 'user' | 'assistant';
  readonly content: string;
}

/** A tool, as a model is told of it: `parameters` is a JSON Schema of an object. */
export interface ToolDefinition {
  readonly name: string;
  readonly description: string;
  readonly parameters: Readonly<Record<string, unknown>>;
}

/** What an agent reads. */
export type ToAgent = Message &
  (
    | {
        readonly type: 'task';
        readonly input: string;
        readonly systemPrompt?: string;
        readonly model: string;
        readonly tools: readonly ToolDefinition[];
        readonly limits: { readonly modelCalls: number };
        /** What was said before the input, oldest first. Left out: nothing. */
        readonly history?: readonly Turn[];
        /** The agent's own last checkpoint, when an earlier attempt was lost: go on from it instead of starting anew. */
        readonly resume?: { readonly state: unknown };
      }
    /** Execute this call here, and answer with a `tool-result` of the same id. */
    | { readonly type: 'tool-call'; readonly tool: string; readonly arguments: Readonly<Record<string, unknown>> }
    | { readonly type: 'tool-result'; readonly ok: boolean; readonly content: string }
    /** A file that the agent wrote was refused; `content` says what was wrong with it. `id` is the message's, if it had one. */
    | { readonly type: 'rejected'; readonly content: string }
    | { readonly type: 'cancel' }
  );

/** Environment variable with the directory of a container's mailbox. */
export const MAILBOX_ENV = 'SYMPOZIUM_MAILBOX';
/** Most bytes of a tool's result; what is longer is cut with a notice. */
export const MAX_TOOL_RESULT_BYTES = 32_768;
