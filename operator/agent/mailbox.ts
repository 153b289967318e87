import { join } from 'node:path';
import type { AgentMessage, ToAgent } from '../ipc/messages.ts';
import { type Parsed, parseHeader } from '../ipc/parse.ts';
import { MailboxReader } from '../ipc/reader.ts';
import { MailboxWriter } from '../ipc/writer.ts';

/** A message to the bridge, without what every message has. */
export type Outgoing = AgentMessage extends infer M ? (M extends AgentMessage ? Omit<M, 'v'> : never) : never;

/** Result of a tool call. */
export interface ToolResult {
  readonly ok: boolean;
  readonly content: string;
}

type Task = Extract<ToAgent, { type: 'task' }>;
/** A call that this container is asked to execute. */
export type Dispatched = Extract<ToAgent, { type: 'tool-call' }>;

/** What an agent does about messages that it didn't wait for. */
export interface MailboxEars {
  readonly onToolCall: (call: Dispatched) => void;
  readonly onCancel: () => void;
  readonly onRejected: (content: string) => void;
}

/** The agent's end of the protocol. */
export class Mailbox {
  readonly #writer: MailboxWriter;
  readonly #reader: MailboxReader<ToAgent>;
  readonly #ears: MailboxEars;
  readonly #task = Promise.withResolvers<Task>();
  readonly #calls = new Map<string, (result: ToolResult) => void>();

  constructor(directory: string, ears: MailboxEars) {
    this.#ears = ears;
    this.#writer = new MailboxWriter(join(directory, 'out'));
    this.#reader = new MailboxReader<ToAgent>({
      directory: join(directory, 'in'),
      parse: parseFromBridge,
      onMessage: (message) => {
        this.#take(message);
      },
      onRejected: (file, because) => {
        ears.onRejected(`${file} from the bridge is not understood: ${because}`);
      },
      removes: false, // mounted read-only
    });
    this.#reader.start();
  }

  /** The task; resolves when the bridge has written it. */
  get task(): Promise<Task> {
    return this.#task.promise;
  }

  /** Sends one message; throws when it is too large. */
  send(message: Outgoing): void {
    this.#writer.write({ v: 1, ...message } as AgentMessage);
  }

  /** Asks for a tool, and waits for its result. `id` must be new. */
  call(id: string, tool: string, given: Readonly<Record<string, unknown>>): Promise<ToolResult> {
    return new Promise((resolve, reject) => {
      this.#calls.set(id, resolve);
      try {
        this.send({ type: 'tool-call', id, tool, arguments: given });
      } catch (error) {
        this.#calls.delete(id);
        reject(error instanceof Error ? error : new Error(String(error)));
      }
    });
  }

  close(): Promise<void> {
    return this.#reader.close();
  }

  #take(message: ToAgent): void {
    switch (message.type) {
      case 'task':
        this.#task.resolve(message);
        return;
      case 'tool-call':
        this.#ears.onToolCall(message);
        return;
      case 'tool-result':
        this.#answer(message.id, message);
        return;
      case 'rejected':
        this.#answer(message.id, { ok: false, content: message.content });
        this.#ears.onRejected(message.content);
        return;
      case 'cancel':
        this.#ears.onCancel();
    }
  }

  #answer(id: string, { ok, content }: ToolResult): void {
    this.#calls.get(id)?.({ ok, content });
    this.#calls.delete(id);
  }
}

/** The bridge is trusted: what it says is taken as it is. Types of a newer bridge are ignored. */
function parseFromBridge(value: unknown): Parsed<ToAgent> {
  const header = parseHeader(value);
  return 'because' in header ? header : { message: header.fields as unknown as ToAgent };
}
