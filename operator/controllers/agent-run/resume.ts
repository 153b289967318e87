import type { AgentRun } from '../../../lib/api/v1alpha1/agent-run.ts';
import { messageOf, ReconcileError } from '../../errors.ts';
import { JOBS, type Job } from '../../kube/resources.ts';
import type { Result } from '../../runtime/controller.ts';
import { waitedMs } from '../tool-approval/waited.ts';
import type { RunContext } from './context.ts';
import { attempt, writeStatus } from './end.ts';
import { attemptOf, uidOf } from './own.ts';
import { lost, resuming, type Ending, type Execution } from './status.ts';

/** What takes a Pod away without its agent being at fault. */
const LOST = new Set(['PodDeleted', 'Evicted', 'NodeLost', 'BridgeLost']);
/** Most attempts at one run: a Pod that is lost ten times is lost by what it does. */
const MOST_ATTEMPTS = 10;
/** Least time of another attempt: its Pod must start first. */
const LEAST_SECONDS = 60;

/**
 * Lets a run wait whose Pod was lost while people are asked about its calls, and go on in another Pod once all of them are
 * decided. `undefined` when there is nothing to go on from: then the run has failed.
 */
export async function resume(
  context: RunContext,
  run: AgentRun,
  execution: Execution & { readonly job: Job },
  found: Ending,
): Promise<Result | undefined> {
  const { caches, clock, events } = context;
  const approvals = caches.approvals.of(run);
  const next = attemptOf(execution.job) + 1;
  if (!LOST.has(found.reason) || approvals.length === 0 || next > MOST_ATTEMPTS) return undefined;
  if (run.status?.reason !== 'PodLost' && !(await hasCheckpoint(context, run))) return undefined;

  const pending = caches.approvals.pending(run).map(({ metadata }) => metadata.name);
  if (pending.length > 0) {
    const message = 'the Pod of the run was lost; another one goes on where it stood as soon as its calls are decided';
    if (run.status?.reason !== 'PodLost' || !sameNames(run.status.pendingApprovals, pending)) {
      await attempt(() => writeStatus(context, run, lost(run, execution, { message, pending }, clock.date())));
      const occasion = `attempt-${next}`;
      await events.record(run, { type: 'Normal', reason: 'PodLost', message: found.message, occasion });
    }
    return {};
  }
  await attempt(() => writeStatus(context, run, resuming(run, next, clock.date())));
  const message = `attempt ${next} goes on where the lost Pod stood`;
  await events.record(run, { type: 'Normal', reason: 'Resuming', message, occasion: `attempt-${next}` });
  return { requeueAfterMs: 0 };
}

/** Deletes the Job of an attempt that is over: the next one has the same name. */
export async function removeAttempt({ kube, memory }: RunContext, run: AgentRun, job: Job): Promise<Result> {
  const { name, namespace, uid } = job.metadata;
  memory.restarted(uidOf(run));
  await kube.delete(JOBS, { namespace, name }, { uid });
  return { requeueAfterMs: 200 };
}

/** Whether a run without a Job is between two attempts. */
export const isResuming = ({ status }: AgentRun): boolean => status?.phase === 'Pending' && (status.attempts ?? 1) > 1;

/** Which attempt comes now, and the seconds that the run has left of `seconds`; `undefined` for the first one. */
export function againOf(
  { caches, clock }: Pick<RunContext, 'caches' | 'clock'>,
  run: AgentRun,
  seconds: number,
): { readonly attempt: number; readonly secondsLeft: number } | undefined {
  const { attempts = 1, startTime } = run.status ?? {};
  if (attempts === 1) return undefined;
  const now = clock.date().getTime();
  const started = Date.parse(startTime ?? '') || now;
  const usedMs = now - started - waitedMs(caches.approvals.of(run), started, now);
  return { attempt: attempts, secondsLeft: Math.max(LEAST_SECONDS, Math.ceil(seconds - usedMs / 1000)) };
}

/** Whether these are the approvals that are told of already. */
export const sameNames = (told: readonly string[] = [], names: readonly string[] = []): boolean =>
  told.length === names.length && names.every((name) => told.includes(name));

async function hasCheckpoint({ bus }: RunContext, { metadata }: AgentRun): Promise<boolean> {
  const { name, namespace = 'default', uid } = metadata;
  try {
    const checkpoint = await bus.getCheckpoint({ namespace, name });
    return checkpoint?.uid === uid && checkpoint?.state !== undefined;
  } catch (cause) {
    const why = `the checkpoint of the run can't be read: ${messageOf(cause)}`;
    throw ReconcileError.waiting('BusUnreachable', why, 2, { cause });
  }
}
