import { join } from 'node:path';
import type { Verdict } from '../../lib/policy/decide.ts';
import type { SkillOffer, SkillTool } from '../bus/messages.ts';
import { cutText } from '../cut.ts';
import { messageOf } from '../errors.ts';
import type { SidecarMessage, ToSidecar } from '../ipc/messages.ts';
import { type Parsed, parseAgentMessage } from '../ipc/parse.ts';
import { MailboxReader } from '../ipc/reader.ts';
import { MailboxWriter } from '../ipc/writer.ts';
import { argumentProblem, fillExec, withoutNulls } from './arguments.ts';
import type { Executor, ToolCall, ToolResult } from './executor.ts';

/** What a {@link Sidecar} works with. */
export interface SidecarOptions {
  /** Directory with the sidecar's `in/` and `out/`. */
  readonly mailbox: string;
  /** Whether the policy, as it is now, still lets the run have the skill. */
  readonly allowed: () => Verdict;
  /** Takes the result of a call that was dispatched to this sidecar. Returns why it is refused, if it is. */
  readonly onResult: (result: ToolResult, from: Executor) => Promise<string | undefined>;
  readonly onLog: (text: string) => void;
  /** Hears of a file that was refused. */
  readonly onRejected: (file: string, because: string) => void;
  /** The sidecar gets nowhere: the run must end, for this reason. */
  readonly onBroken: (because: string) => void;
}

/** Files that may be refused before the run is ended. */
const MOST_REJECTED = 200;
/** Longest text of one event. */
const MAX_LOG_BYTES = 16_384;

/** The sidecar of one skill: it is given the calls of its tools, and may answer those and nothing else. */
export class Sidecar implements Executor {
  readonly name: string;
  readonly tools: readonly SkillTool[];
  readonly #options: SidecarOptions;
  readonly #writer: MailboxWriter;
  readonly #reader: MailboxReader<SidecarMessage>;
  /** Calls that were dispatched here and have no result. */
  readonly #open = new Set<string>();
  #rejected = 0;

  constructor({ name, tools }: SkillOffer, options: SidecarOptions) {
    this.name = name;
    this.tools = tools;
    this.#options = options;
    this.#writer = new MailboxWriter(join(options.mailbox, 'in'));
    this.#reader = new MailboxReader<SidecarMessage>({
      directory: join(options.mailbox, 'out'),
      parse: parseSidecarMessage,
      onMessage: (message, file) => this.#take(message, file),
      onRejected: (file, because, id) => {
        this.#reject(file, because, id);
      },
      removes: true,
    });
  }

  /** Starts listening to the sidecar. */
  start(): void {
    this.#reader.start();
  }

  /** What keeps a call from being made, in one sentence for the model. */
  problem({ tool: name, arguments: given }: ToolCall): string | undefined {
    const tool = this.tools.find((one) => one.name === name);
    if (tool === undefined) return `skill '${this.name}' has no tool '${name}'`;
    const verdict = this.#options.allowed();
    if (!verdict.allowed) return `skill '${this.name}' is not allowed any more, because ${verdict.because}`;
    return argumentProblem(tool.parameters, withoutNulls(given));
  }

  /** Hands a call to the sidecar. @throws Error when its arguments are not as the tool's schema says */
  readonly send = (call: ToolCall): void => {
    const because = this.problem(call);
    if (because !== undefined) throw new Error(because);
    const { id, tool } = call;
    const given = withoutNulls(call.arguments);
    const exec = fillExec(this.tools.find(({ name }) => name === tool)?.exec ?? [], given);
    this.#write({ v: 1, id, type: 'tool-call', tool, arguments: given, exec });
    this.#open.add(id);
  };

  /** Tells the sidecar that the run is over. */
  cancel(): void {
    try {
      this.#write({ v: 1, id: 'cancel', type: 'cancel' });
    } catch {
      return; // its mailbox is full: it will be killed
    }
  }

  close(): Promise<void> {
    return this.#reader.close();
  }

  async #take(message: SidecarMessage, file: string): Promise<void> {
    if (message.type === 'log') {
      if (message.text !== '') this.#options.onLog(cutText(message.text, MAX_LOG_BYTES, '…'));
      return;
    }
    const { id } = message;
    if (!this.#open.delete(id)) {
      this.#reject(file, `no call '${id}' waits for a result of this sidecar`, id);
      return;
    }
    const because = await this.#options.onResult(message, this);
    if (because !== undefined) this.#reject(file, because, id);
  }

  #reject(file: string, because: string, id = file): void {
    this.#rejected += 1;
    this.#options.onRejected(file, because);
    if (this.#rejected > MOST_REJECTED) {
      const last = `the last one, ${file}, because ${because}`;
      this.#options.onBroken(`more than ${MOST_REJECTED} files of skill '${this.name}' were refused, ${last}`);
      return;
    }
    try {
      this.#write({ v: 1, id: id.slice(0, 128), type: 'rejected', content: `${file} was refused: ${because}` });
    } catch (error) {
      this.#options.onBroken(`the mailbox of skill '${this.name}' can't be written to: ${messageOf(error)}`);
    }
  }

  #write(message: ToSidecar): void {
    this.#writer.write(message);
  }
}

/** Reads what a sidecar wrote: results and log lines; it has no other word in the run. */
function parseSidecarMessage(value: unknown): Parsed<SidecarMessage> {
  const parsed = parseAgentMessage(value);
  if (parsed.because !== undefined) return parsed;
  const { message } = parsed;
  if (message.type === 'tool-result' || message.type === 'log') return { message };
  return { id: message.id, because: `type is "${message.type}", expected one of tool-result, log` };
}
