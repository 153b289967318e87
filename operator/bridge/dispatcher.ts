import type { RunEvent } from '../bus/messages.ts';
import { cutText } from '../cut.ts';
import { type AgentMessage, MAX_TOOL_RESULT_BYTES, type ToAgent, type ToolDefinition } from '../ipc/messages.ts';
import { decideTool, type EffectivePolicy } from '../../lib/policy/effective.ts';

/** One thing that happened, without what every event has. */
export type Happening = RunEvent extends infer E ? (E extends RunEvent ? Omit<E, 'v' | 'uid' | 'at'> : never) : never;

/** Someone who executes tools: the agent itself for the built-in ones. */
export interface Executor {
  readonly tools: readonly ToolDefinition[];
  readonly send: (message: ToAgent) => void;
}

/** What the dispatcher works with. */
export interface DispatcherOptions {
  readonly policy: EffectivePolicy;
  /** Answers the one who calls tools. */
  readonly reply: (message: ToAgent) => void;
  readonly executors: readonly Executor[];
  readonly emit: (event: Happening) => void;
  /** Called for each call that is dispatched. */
  readonly onDispatched: () => void;
  /** Calls that an earlier bridge of this Pod dispatched, and those of them that were answered. */
  readonly earlier?: { readonly open: readonly string[]; readonly answered: readonly string[] };
}

type ToolCall = Extract<AgentMessage, { type: 'tool-call' }>;
type ToolResult = Extract<AgentMessage, { type: 'tool-result' }>;

/**
 * Decides every tool call by the policy, at the moment it is made, and brings results back. Nothing the agent writes
 * reaches an executor without that decision; calls run at the same time, each is answered once.
 */
export class Dispatcher {
  readonly #options: DispatcherOptions;
  /** Tool of each call that was dispatched and not answered. */
  readonly #open = new Map<string, string>();
  /** Every id that was ever used. */
  readonly #used = new Set<string>();

  constructor(options: DispatcherOptions) {
    this.#options = options;
    for (const id of options.earlier?.open ?? []) this.#open.set(id, 'unknown');
    for (const id of [...this.#open.keys(), ...(options.earlier?.answered ?? [])]) this.#used.add(id);
  }

  /** The tools that the agent is told of: those that no rule denies. */
  get offered(): readonly ToolDefinition[] {
    return this.#options.executors
      .flatMap(({ tools }) => tools)
      .filter(({ name }) => decideTool(this.#options.policy, name).effect !== 'deny');
  }

  /** Takes a call. Returns why the message is refused, if it is. */
  call(call: ToolCall): string | undefined {
    if (this.#used.has(call.id)) return `id '${call.id}' was used by an earlier tool-call: every call needs its own`;
    this.#used.add(call.id);
    const executor = this.#options.executors.find(({ tools }) => tools.some(({ name }) => name === call.tool));
    if (executor === undefined) {
      const names = this.offered.map(({ name }) => name).join(', ');
      this.#refuse(
        call,
        'there is no such tool',
        `There is no tool '${call.tool}'. Available tools: ${names || 'none'}.`,
      );
      return undefined;
    }
    const decision = decideTool(this.#options.policy, call.tool);
    if (decision.effect === 'allow') this.#dispatch(call, executor);
    else if (decision.effect === 'deny') {
      const advice = 'Do not try it again; work without it, or say that you can not.';
      this.#refuse(call, decision.because, `Tool '${call.tool}' was denied: ${decision.because}. ${advice}`);
    } else {
      const why = `${decision.because}, and approvals can not be given in this run`;
      this.#refuse(call, why, `Tool '${call.tool}' was not run: ${why}. Work without it, or say that you can not.`);
    }
    return undefined;
  }

  /** Takes the result of a call that was dispatched. Returns why the message is refused, if it is. */
  result({ id, ok, content }: ToolResult): string | undefined {
    const tool = this.#open.get(id);
    if (tool === undefined) {
      return this.#used.has(id) ? `call '${id}' has its result already` : `no call '${id}' was dispatched`;
    }
    this.#open.delete(id);
    const bytes = Buffer.byteLength(content);
    const notice = `\n[tool result cut: ${bytes} bytes, limit ${MAX_TOOL_RESULT_BYTES}]`;
    this.#options.reply({
      v: 1,
      id,
      type: 'tool-result',
      ok,
      content: cutText(content, MAX_TOOL_RESULT_BYTES, notice),
    });
    this.#options.emit({ type: 'tool', id, tool, state: ok ? 'succeeded' : 'failed' });
    return undefined;
  }

  #dispatch({ id, tool, arguments: given }: ToolCall, executor: Executor): void {
    try {
      executor.send({ v: 1, id, type: 'tool-call', tool, arguments: given });
    } catch (error) {
      const because = error instanceof Error ? error.message : String(error);
      this.#refuse({ id, tool }, because, `Tool '${tool}' could not be called: ${because}.`);
      return;
    }
    this.#open.set(id, tool);
    this.#options.onDispatched();
    this.#options.emit({ type: 'tool', id, tool, state: 'dispatched' });
  }

  #refuse({ id, tool }: Pick<ToolCall, 'id' | 'tool'>, because: string, content: string): void {
    this.#options.reply({ v: 1, id, type: 'tool-result', ok: false, content });
    this.#options.emit({ type: 'tool', id, tool, state: 'denied', because });
  }
}
