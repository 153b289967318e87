import { runChildName } from '../../../lib/api/group.ts';
import type { AgentRun } from '../../../lib/api/v1alpha1/agent-run.ts';
import { keyFor, keyOf } from '../../kube/port.ts';
import type { Job } from '../../kube/resources.ts';
import type { RunContext } from './context.ts';

/** The Job of a run: from the cache, or as we created it a moment ago. */
export function jobOf({ caches, memory }: Pick<RunContext, 'caches' | 'memory'>, run: AgentRun): Job | undefined {
  const job = caches.jobs.get(keyFor(run.metadata.namespace, runChildName(run.metadata.name)));
  if (job === undefined || !owns(run, job)) return memory.unseenJob(uidOf(run));
  memory.saw(uidOf(run), 'job');
  return job;
}

/** Whether an object was made for this run, and not for another one of its name. */
export const owns = (run: AgentRun, { metadata }: Pick<Job, 'metadata'>): boolean =>
  metadata.ownerReferences?.some(({ uid, controller }) => uid === run.metadata.uid && controller === true) === true;

/** Identity of a run; every object that came from a cluster has one. */
export const uidOf = (run: AgentRun): string => run.metadata.uid ?? keyOf(run);
