import { MAX_APPROVAL_ARGUMENTS } from '../../lib/api/limits.ts';
import type { BridgeBus } from '../bus/bridge-bus.ts';
import type { Audit } from './audit.ts';
import type { ToolCall } from './executor.ts';
import type { Journal } from './journal.ts';
import type { LiveRules } from './live-rules.ts';

/** What {@link Approvals} works with. */
export interface ApprovalsOptions {
  readonly uid: string;
  readonly bus: Pick<BridgeBus, 'publishApproval'>;
  readonly rules: Pick<LiveRules, 'decision'>;
  readonly journal: Journal;
  readonly audit: Pick<Audit, 'call'>;
  readonly signal: AbortSignal;
}

/** What became of a call that waited; `reason` is for the model. */
export type Verdict = { readonly approved: true } | { readonly approved: false; readonly reason: string };

/** Calls of one run that people may be asked about. */
const MOST_ASKED = 100;

/** Asks people about calls, and waits for what they decide. */
export class Approvals {
  readonly #options: ApprovalsOptions;
  /** The rule that asks for each call. */
  readonly #rules = new Map<string, string>();

  constructor(options: ApprovalsOptions) {
    this.#options = options;
  }

  /** Asks about a call. Resolves with why nobody can be asked, or when the question is stored. */
  async ask(call: ToolCall, rule: string): Promise<string | undefined> {
    const { journal, audit } = this.#options;
    const bytes = Buffer.byteLength(JSON.stringify(call.arguments));
    if (bytes > MAX_APPROVAL_ARGUMENTS)
      return `its arguments have ${bytes} bytes, and only ${MAX_APPROVAL_ARGUMENTS} can be shown to a person`;
    if (journal.asked.size >= MOST_ASKED) return `a run may ask for ${MOST_ASKED} approvals, and this one has`;
    audit.call(call, { verdict: 'asked', rule });
    await journal.ask(call.id, { tool: call.tool, arguments: call.arguments });
    await this.#publish(call, rule);
    return undefined;
  }

  /** Asks about a call of an earlier attempt: it may have been lost before it could. */
  askAgain(call: ToolCall): Promise<void> {
    return this.#publish(call, "the run's policy asks for a person's approval");
  }

  /** What was decided about a call; waits for it. Rejects when the run is over. */
  async decision(call: ToolCall): Promise<Verdict> {
    const { rules, audit } = this.#options;
    const rule = this.#rules.get(call.id) ?? "a person's approval is asked for";
    const { verdict, by, reason } = await rules.decision(call.id);
    if (verdict === 'Approved') {
      audit.call(call, { verdict: 'approved', rule, by }, 'approval');
      return { approved: true };
    }
    audit.call(call, { verdict: verdict === 'Expired' ? 'expired' : 'denied', rule, by }, 'approval');
    return { approved: false, reason: reason ?? 'no reason was given' };
  }

  async #publish({ id, tool, arguments: given }: ToolCall, rule: string): Promise<void> {
    const { uid, bus, signal } = this.#options;
    this.#rules.set(id, rule);
    await bus.publishApproval({ v: 1, uid, call: id, tool, arguments: given, rule }, signal);
  }
}
