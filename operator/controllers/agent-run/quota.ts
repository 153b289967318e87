import type { AgentRun } from '../../../lib/api/v1alpha1/agent-run.ts';
import { JOBS, type Job, type Pod } from '../../kube/resources.ts';
import type { Result } from '../../runtime/controller.ts';
import type { RunContext } from './context.ts';
import { attempt, writeStatus } from './end.ts';
import { hold } from './hold.ts';
import { uidOf } from './own.ts';
import { LONGEST_WAIT_MS } from './queue.ts';
import { held, type Ending } from './status.ts';

/** Reason of a run that a ResourceQuota of its namespace keeps from starting. */
export const QUOTA_EXCEEDED = 'QuotaExceeded';

/** Pause before the run that was created first tries again; the n-th tries n times as rarely. */
const RETRY_MS = 5_000;
const RARELY = 12;

/** Whether the API server's sentence is that of a ResourceQuota that is used up. */
export const exceedsQuota = (sentence: string): boolean => /\bexceeded quota\b/i.test(sentence);

/** Lets the run wait until the quota of its namespace has room: others end, and so will its wait. */
export async function waitForQuota(context: RunContext, run: AgentRun, ending: Ending): Promise<Result> {
  const position = context.places.refused(run);
  // Once: the sentence tells what is used, and would change with each try.
  if (run.status?.reason !== QUOTA_EXCEEDED) await hold(context, run, ending, 'Warning');
  return { requeueAfterMs: RETRY_MS * Math.min(position, RARELY) };
}

/** A Pod that comes this much later than its Job was kept waiting by a quota. */
const LATE_MS = 30_000;

/** How long a quota has kept the Pod of a Job waiting, in milliseconds: no part of the run's own time, up to a day. */
export function waitedForQuotaMs(run: AgentRun, job: Job, pod: Pod | undefined, now: number): number {
  const until = pod === undefined && isWaiting(run) ? now : Date.parse(pod?.metadata.creationTimestamp ?? '');
  const waitedMs = until - Date.parse(job.metadata.creationTimestamp ?? '');
  return waitedMs > LATE_MS ? Math.min(waitedMs, LONGEST_WAIT_MS) : 0;
}

/** Whether the run waits for a quota. */
export const isWaiting = ({ status }: AgentRun): boolean => status?.reason === QUOTA_EXCEEDED;

/** Whether the Job has given up waiting for a quota, without ever having had a Pod: it makes none any more. */
export const gaveUp = (run: AgentRun, { status }: Job): boolean =>
  isWaiting(run) &&
  run.status?.podName === undefined &&
  status?.conditions?.some(({ type, status: is }) => type === 'Failed' && is === 'True') === true &&
  (status.failed ?? 0) === 0 &&
  (status.active ?? 0) === 0;

/** Removes a Job that gave up, so that the run gets another one. */
export async function startAnew(context: RunContext, run: AgentRun, job: Job): Promise<Result> {
  const { kube, memory, clock } = context;
  const { jobName: _, startTime: _time, ...rest } = run.status ?? { phase: 'Pending' as const };
  const { reason = QUOTA_EXCEEDED, message = '' } = rest;
  const status = held({ ...run, status: rest }, {}, { reason, message }, clock.date());
  if ((await attempt(() => writeStatus(context, run, status))) !== undefined) {
    memory.restarted(uidOf(run));
    const { name, namespace, uid } = job.metadata;
    await kube.delete(JOBS, { namespace, name }, { uid });
  }
  return { requeueAfterMs: RETRY_MS };
}
