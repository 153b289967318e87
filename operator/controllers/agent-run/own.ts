import { runChildName } from '../../../lib/api/group.ts';
import type { AgentRun } from '../../../lib/api/v1alpha1/agent-run.ts';
import { keyFor, keyOf } from '../../kube/port.ts';
import type { Job } from '../../kube/resources.ts';
import type { RunContext } from './context.ts';
import { JOB_ANNOTATIONS } from './job-annotations.ts';

/** The Job of a run: from the cache, or as we created it a moment ago. */
export function jobOf({ caches, memory }: Pick<RunContext, 'caches' | 'memory'>, run: AgentRun): Job | undefined {
  const job = caches.jobs.get(keyFor(run.metadata.namespace, runChildName(run.metadata.name)));
  const unseen = memory.unseenJob(uidOf(run));
  if (job === undefined || !owns(run, job) || (unseen !== undefined && attemptOf(unseen) > attemptOf(job)))
    return unseen;
  memory.sawJob(uidOf(run), job.metadata.uid);
  return job;
}

/** Which attempt at its run a Job is. */
export const attemptOf = ({ metadata }: Pick<Job, 'metadata'>): number =>
  Number(metadata.annotations?.[JOB_ANNOTATIONS.attempt] ?? 1);

/** Whether an object was made for this run, and not for another one of its name. */
export const owns = (run: AgentRun, { metadata }: Pick<Job, 'metadata'>): boolean =>
  metadata.ownerReferences?.some(({ uid, controller }) => uid === run.metadata.uid && controller === true) === true;

/** Identity of a run; every object that came from a cluster has one. */
export const uidOf = (run: AgentRun): string => run.metadata.uid ?? keyOf(run);
