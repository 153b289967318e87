import { z } from 'zod';

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

const base = { v: z.literal(IPC_VERSION), id: z.string().min(1).max(128) };

/** What an agent may write. */
export const agentMessage = z.discriminatedUnion('type', [
  z.object({
    ...base,
    type: z.literal('tool-call'),
    tool: z.string().min(1).max(64),
    arguments: z.record(z.string(), z.unknown()),
  }),
  /** The result of a call that was dispatched to this mailbox; `id` is the call's. */
  z.object({ ...base, type: z.literal('tool-result'), ok: z.boolean(), content: z.string() }),
  z.object({ ...base, type: z.literal('delta'), text: z.string() }),
  z.object({ ...base, type: z.literal('log'), text: z.string() }),
  z.object({ ...base, type: z.literal('result'), output: z.string() }),
  z.object({ ...base, type: z.literal('error'), message: z.string().min(1) }),
]);

/** A message from an agent. */
export type AgentMessage = z.infer<typeof agentMessage>;

/** A tool, as a model is told of it: `parameters` is a JSON Schema of an object. */
export interface ToolDefinition {
  readonly name: string;
  readonly description: string;
  readonly parameters: Readonly<Record<string, unknown>>;
}

/** What an agent reads. */
export type ToAgent = { readonly v: 1; readonly id: string } & (
  | {
      readonly type: 'task';
      readonly input: string;
      readonly systemPrompt?: string;
      readonly model: string;
      readonly tools: readonly ToolDefinition[];
      readonly limits: { readonly modelCalls: number };
    }
  /** Execute this call here, and answer with a `tool-result` of the same id. */
  | { readonly type: 'tool-call'; readonly tool: string; readonly arguments: Readonly<Record<string, unknown>> }
  | { readonly type: 'tool-result'; readonly ok: boolean; readonly content: string }
  /** A file that the agent wrote was refused; `content` says what was wrong with it. */
  | { readonly type: 'rejected'; readonly content: string }
  | { readonly type: 'cancel' }
);

/** Environment variable with the directory of a container's mailbox. */
export const MAILBOX_ENV = 'SYMPOZIUM_MAILBOX';
