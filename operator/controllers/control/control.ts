import { isFinished, type AgentRun } from '../../../lib/api/v1alpha1/agent-run.ts';
import type { ToolApproval } from '../../../lib/api/v1alpha1/tool-approval.ts';
import type { Decision } from '../../bus/messages.ts';
import { messageOf, ReconcileError } from '../../errors.ts';
import type { Lookup } from '../../kube/lookup.ts';
import { keyOf } from '../../kube/port.ts';
import type { Log } from '../../log.ts';
import type { Result } from '../../runtime/controller.ts';
import type { TaskBus } from '../agent-run/context.ts';
import { JOB_ANNOTATIONS, policyHash } from '../agent-run/desired.ts';
import type { RunMemory } from '../agent-run/memory.ts';
import { jobOf, uidOf } from '../agent-run/own.ts';
import type { Caches } from '../caches.ts';
import { rulesOfRun } from './rules-of-run.ts';

/** What the control of live runs works with. */
export interface ControlContext {
  readonly caches: Caches;
  readonly lookup: Lookup;
  readonly memory: RunMemory;
  readonly bus: Pick<TaskBus, 'publishControl'>;
  readonly log: Log;
}

/** Tells the bridges of live runs what holds now, whenever that differs from what they were told last. */
export class Control {
  readonly #context: ControlContext;
  /** By the UID of the run: a fingerprint of what its bridge was told last. */
  readonly #told = new Map<string, string>();

  constructor(context: ControlContext) {
    this.#context = context;
  }

  /** Looks at one run. */
  async reconcile(key: string): Promise<Result> {
    const { caches, lookup, bus, log } = this.#context;
    const run = caches.runs.get(key);
    if (run === undefined) return {};
    const uid = uidOf(run);
    if (isFinished(run)) {
      this.#told.delete(uid);
      return {};
    }
    const job = jobOf(this.#context, run);
    if (job === undefined) return {}; // not begun: its task will say it
    const policy = await rulesOfRun(lookup, run);
    if (policy === undefined) return {}; // gone: what held last goes on to hold
    const decisions = decisionsOf(caches.approvals.of(run));
    const wanted = JSON.stringify([policyHash(policy), decisions]);
    if (wanted === (this.#told.get(uid) ?? this.#toldByTask(run, job.metadata.annotations))) return {};
    const { name, namespace = 'default' } = run.metadata;
    try {
      await bus.publishControl({ namespace, name }, { v: 1, uid, policy, decisions });
    } catch (cause) {
      const why = `the bridge of run '${keyOf(run)}' can't be told: ${messageOf(cause)}`;
      throw ReconcileError.waiting('BusUnreachable', why, 1, { cause });
    }
    this.#told.set(uid, wanted);
    log.info('Told a bridge what holds', { run: keyOf(run), policy: policy.name, decisions: decisions.length });
    return {};
  }

  /** The run is gone. */
  forget(run: AgentRun): void {
    this.#told.delete(uidOf(run));
  }

  /** What a run that this process has started was told by its task. Of another one nobody knows what it was told since. */
  #toldByTask(run: AgentRun, annotations: Readonly<Record<string, string>> | undefined): string | undefined {
    if (!this.#context.memory.startedHere(uidOf(run))) return undefined;
    return JSON.stringify([annotations?.[JOB_ANNOTATIONS.policyHash], []]);
  }
}

const decisionsOf = (approvals: readonly ToolApproval[]): Decision[] =>
  approvals.flatMap(({ spec }) =>
    spec.decision === undefined
      ? []
      : [
          {
            call: spec.call,
            verdict: spec.decision,
            by: spec.decidedBy ?? 'unknown',
            ...(spec.reason === undefined ? {} : { reason: spec.reason }),
          },
        ],
  );
