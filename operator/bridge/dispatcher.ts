import { canonicalJson } from '../../lib/policy/canonical.ts';
import { decideTool, type ToolDecision } from '../../lib/policy/decide.ts';
import { cutText } from '../cut.ts';
import { messageOf } from '../errors.ts';
import { MAX_TOOL_RESULT_BYTES, type ToAgent, type ToolDefinition } from '../ipc/messages.ts';
import type { Approvals } from './approvals.ts';
import type { Audit } from './audit.ts';
import type { Executor, Happening, ToolCall, ToolResult } from './executor.ts';
import type { Journal } from './journal.ts';
import type { LiveRules } from './live-rules.ts';

export type { Executor, Happening, ToolCall, ToolResult } from './executor.ts';

/** What the dispatcher works with. */
export interface DispatcherOptions {
  readonly rules: Pick<LiveRules, 'known' | 'newest'>;
  readonly approvals: Approvals;
  readonly journal: Journal;
  readonly audit: Pick<Audit, 'call'>;
  /** Answers the one who calls tools. */
  readonly reply: (message: ToAgent) => void;
  readonly executors: readonly Executor[];
  readonly emit: (event: Happening) => void;
  /** Called for each call that is dispatched. */
  readonly onDispatched: () => void;
  /** Called when the bridge itself can't go on with a call that waited. */
  readonly onFailed: (error: unknown) => void;
  /** Calls that an earlier bridge of this Pod dispatched, and those of them that were answered. */
  readonly earlier?: { readonly open: readonly string[]; readonly answered: readonly string[] };
  /** Whether the agent is a new one that makes the calls of the journal again. */
  readonly resumed?: boolean;
}

interface Open {
  readonly call: Pick<ToolCall, 'id' | 'tool' | 'arguments'>;
  /** Who has it; `undefined` for one that an earlier bridge of this Pod dispatched. */
  readonly executor: Executor | undefined;
}

/** Calls of one run: each is remembered, recorded and told, so an agent that never stops must be stopped. */
const MOST_CALLS = 5_000;
const ADVICE = 'Do not try it again; work without it, or say that you can not.';

/**
 * Decides every tool call by the newest policy, at the moment it is dispatched, and brings results back. Nothing the agent
 * writes reaches an executor without that decision; calls run at the same time, each is answered once.
 */
export class Dispatcher {
  readonly #options: DispatcherOptions;
  /** Calls that were dispatched and not answered. */
  readonly #open = new Map<string, Open>();
  /** Every id that was ever used. */
  readonly #used = new Set<string>();
  /** Calls of an earlier attempt that are to be made again. */
  readonly #again = new Set<string>();

  constructor(options: DispatcherOptions) {
    this.#options = options;
    const { earlier, journal, resumed = false } = options;
    for (const id of earlier?.open ?? [])
      this.#open.set(id, { call: { id, tool: journal.of(id)?.tool ?? 'unknown', arguments: {} }, executor: undefined });
    for (const id of [...this.#open.keys(), ...(earlier?.answered ?? []), ...journal.asked]) this.#used.add(id);
    for (const [id, record] of journal.calls) {
      if (resumed) this.#again.add(id);
      else if (record.state === 'waiting' && earlier?.answered.includes(id) !== true) this.#waitOn({ ...record, id });
    }
  }

  /** The tools that the agent is told of: those that no rule denies. */
  get offered(): readonly ToolDefinition[] {
    const { executors, rules } = this.#options;
    return executors
      .flatMap(({ tools }) => tools)
      .filter(({ name }) => decideTool(rules.known, name).effect !== 'deny')
      .map(({ name, description, parameters }) => ({ name, description, parameters }));
  }

  /** Takes what the agent needs to go on elsewhere. */
  checkpoint(state: unknown): void {
    this.#options.journal.checkpoint(state, this.#again); // it has not heard yet what became of those
  }

  /**
   * Takes a call. Resolves when it is dispatched, refused, or waits for a person: with why the message is refused, if it
   * is. Rejects when the run is over.
   */
  async call(call: ToolCall): Promise<string | undefined> {
    const used = `id '${call.id}' was used by an earlier tool-call: every call needs its own`;
    if (this.#again.delete(call.id)) return (await this.#resume(call)) ? undefined : used;
    if (this.#used.has(call.id)) return used;
    if (this.#used.size >= MOST_CALLS) return `a run may make ${MOST_CALLS} calls, and this one has`;
    this.#used.add(call.id);
    const executor = this.#executorOf(call);
    if (executor === undefined) {
      const names = this.offered.map(({ name }) => name).join(', ');
      const content = `There is no tool '${call.tool}'. Available tools: ${names || 'none'}.`;
      await this.#refuse(call, 'there is no such tool', content);
      return undefined;
    }
    const decision = decideTool(await this.#options.rules.newest(), call.tool);
    if (decision.effect === 'deny') await this.#deny(call, decision);
    else await this.#admit(call, executor, decision);
    return undefined;
  }

  /** Takes the result of a call that was dispatched to `from`. Resolves with why the message is refused, if it is. */
  async result(result: Pick<ToolResult, 'id' | 'ok' | 'content'>, from: Executor): Promise<string | undefined> {
    const { id, ok } = result;
    const open = this.#open.get(id);
    if (open === undefined) {
      return this.#used.has(id) ? `call '${id}' has its result already` : `no call '${id}' was dispatched`;
    }
    if (open.executor !== undefined && open.executor !== from) return `call '${id}' was dispatched to someone else`;
    this.#open.delete(id);
    const bytes = Buffer.byteLength(result.content);
    const notice = `\n[tool result cut: ${bytes} bytes, limit ${MAX_TOOL_RESULT_BYTES}]`;
    const content = cutText(result.content, MAX_TOOL_RESULT_BYTES, notice);
    await this.#answer(open.call, ok, content);
    this.#options.emit({ type: 'tool', id, tool: open.call.tool, state: ok ? 'succeeded' : 'failed' });
    return undefined;
  }

  /** Takes a call that is not denied: to its executor, or to people. */
  async #admit(
    call: ToolCall,
    executor: Executor,
    decision: Exclude<ToolDecision, { readonly effect: 'deny' }>,
  ): Promise<void> {
    const { approvals, audit, emit } = this.#options;
    const problem = executor.problem?.(call);
    if (problem !== undefined) {
      await this.#refuse(call, problem, `Tool '${call.tool}' could not be called: ${problem}.`);
      return;
    }
    if (decision.effect === 'allow') {
      audit.call(call, { verdict: 'allowed', rule: 'no rule forbids it' });
      await this.#dispatch(call, executor);
      return;
    }
    const { because } = decision;
    const refused = await approvals.ask(call, because);
    if (refused !== undefined) {
      await this.#refuse(call, `${because}, and ${refused}`, `Tool '${call.tool}' was not run: ${refused}. ${ADVICE}`);
      return;
    }
    emit({ type: 'tool', id: call.id, tool: call.tool, state: 'waiting', because });
    this.#waitOn(call);
  }

  /** Takes a call that an earlier attempt made; `false` when it is another one of the same id. */
  async #resume(call: ToolCall): Promise<boolean> {
    const { journal, approvals, emit } = this.#options;
    const { id } = call;
    this.#used.add(id);
    const record = journal.of(id);
    if (record?.tool !== call.tool || canonicalJson(record.arguments) !== canonicalJson(call.arguments)) return false;
    if (record.state === 'waiting') {
      await approvals.askAgain(call);
      emit({ type: 'tool', id, tool: call.tool, state: 'waiting', because: 'it still waits for a decision' });
      this.#waitOn(call);
    } else if (record.state === 'done') {
      await this.#answer(call, record.ok, record.content);
    } else {
      const because = 'the Pod of the run was lost while it was under way, so nobody knows whether it took effect';
      const content = `The call of '${call.tool}' was interrupted: ${because}. Find out before you do it again.`;
      await this.#answer(call, false, content);
      emit({ type: 'tool', id, tool: call.tool, state: 'failed', because });
    }
    return true;
  }

  /** Goes on with a call once it is decided, without holding up others. */
  #waitOn(call: Pick<ToolCall, 'id' | 'tool' | 'arguments'>): void {
    const { approvals, onFailed } = this.#options;
    this.#used.add(call.id);
    const paused: ToolCall = { v: 1, type: 'tool-call', id: call.id, tool: call.tool, arguments: call.arguments };
    approvals
      .decision(paused)
      .then((verdict) => this.#decided(paused, verdict))
      .catch(onFailed);
  }

  async #decided(call: ToolCall, verdict: Awaited<ReturnType<Approvals['decision']>>): Promise<void> {
    if (!verdict.approved) {
      const content = `The call of '${call.tool}' was not approved: ${verdict.reason}. ${ADVICE}`;
      await this.#answer(call, false, content);
      this.#options.emit({ ...tool(call), state: 'denied', because: verdict.reason });
      return;
    }
    const executor = this.#executorOf(call);
    const decision = decideTool(await this.#options.rules.newest(), call.tool); // it may have become stricter since
    if (decision.effect === 'deny') await this.#deny(call, decision);
    else if (executor === undefined)
      await this.#refuse(call, 'there is no such tool any more', `There is no tool '${call.tool}' any more.`);
    else await this.#dispatch(call, executor);
  }

  async #dispatch(call: ToolCall, executor: Executor): Promise<void> {
    const { id, tool: name, arguments: given } = call;
    const { journal, onDispatched, emit } = this.#options;
    await journal.record(id, { tool: name, arguments: given, state: 'dispatched' });
    this.#open.set(id, { call, executor }); // first: the answer may come at once
    try {
      await executor.send(call);
    } catch (error) {
      this.#open.delete(id);
      const because = messageOf(error);
      await this.#refuse(call, because, `Tool '${name}' could not be called: ${because}.`);
      return;
    }
    onDispatched();
    emit({ ...tool(call), state: 'dispatched' });
  }

  async #deny(call: ToolCall, { because }: { readonly because: string }): Promise<void> {
    this.#options.audit.call(call, { verdict: 'denied', rule: because });
    await this.#answer(call, false, `Tool '${call.tool}' was denied: ${because}. ${ADVICE}`);
    this.#options.emit({ ...tool(call), state: 'denied', because });
  }

  async #refuse(call: ToolCall, because: string, content: string): Promise<void> {
    this.#options.audit.call(call, { verdict: 'rejected', rule: because });
    await this.#answer(call, false, content);
    this.#options.emit({ ...tool(call), state: 'denied', because });
  }

  /** The one answer that a call gets. */
  async #answer(call: Pick<ToolCall, 'id' | 'tool' | 'arguments'>, ok: boolean, content: string): Promise<void> {
    const { id, tool: name, arguments: given } = call;
    await this.#options.journal.record(id, { tool: name, arguments: given, state: 'done', ok, content });
    this.#options.reply({ v: 1, id, type: 'tool-result', ok, content });
  }

  #executorOf(call: ToolCall): Executor | undefined {
    return this.#options.executors.find(({ tools }) => tools.some(({ name }) => name === call.tool));
  }
}

const tool = ({ id, tool: name }: Pick<ToolCall, 'id' | 'tool'>) => ({ type: 'tool', id, tool: name }) as const;
