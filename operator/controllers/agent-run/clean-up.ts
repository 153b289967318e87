import { runChildName } from '../../../lib/api/group.ts';
import type { AgentRun } from '../../../lib/api/v1alpha1/agent-run.ts';
import { keyFor } from '../../kube/port.ts';
import { JOBS, SERVICE_ACCOUNTS } from '../../kube/resources.ts';
import type { Result } from '../../runtime/controller.ts';
import type { RunContext } from './context.ts';
import { announceEnd } from './end.ts';
import { owns, uidOf } from './own.ts';

/** Deletes what a finished run leaves behind, and says how it ended. Does nothing when nothing is left. */
export async function cleanUp(context: RunContext, run: AgentRun): Promise<Result> {
  const { kube, caches, memory } = context;
  const { namespace, name: runName } = run.metadata;
  const name = runChildName(runName);
  const key = keyFor(namespace, name);
  const job = memory.unseenJob(uidOf(run)) ?? caches.jobs.get(key);
  const account = caches.serviceAccounts.get(key);
  const left = [job, account].filter((child) => child !== undefined && owns(run, child));
  if (left.length === 0) return {};
  const waitMs = memory.cleaningInMs(uidOf(run));
  if (waitMs > 0) return { requeueAfterMs: waitMs };

  await announceEnd(context, run); // first: what is left tells the next controller that it wasn't said yet
  await Promise.all([
    ...(job === undefined || !owns(run, job)
      ? []
      : [kube.delete(JOBS, { namespace, name }, { uid: job.metadata.uid })]),
    // Together with its Job there is always a ServiceAccount, though the cache may not know of it yet.
    ...(account === undefined || owns(run, account)
      ? [kube.delete(SERVICE_ACCOUNTS, { namespace, name }, { uid: account?.metadata.uid })]
      : []),
  ]);
  memory.cleaned(uidOf(run));
  return { requeueAfterMs: memory.cleaningInMs(uidOf(run)) };
}
