import { isFinished } from '../../../lib/api/v1alpha1/agent-run.ts';
import type { Result } from '../../runtime/controller.ts';
import { cleanUp } from './clean-up.ts';
import type { RunContext } from './context.ts';
import { end } from './end.ts';
import { follow } from './follow.ts';
import { jobOf, uidOf } from './own.ts';
import { isWaiting } from './quota.ts';
import { isResuming } from './resume.ts';
import { releaseSkills } from './skills/release.ts';
import { start } from './start.ts';
import { cancelled, failed } from './status.ts';

/** Brings one AgentRun forward: starts it, follows its Job, ends it, cleans up after it. */
export async function reconcileRun(context: RunContext, key: string): Promise<Result> {
  const run = context.caches.runs.get(key);
  if (context.caches.skillObjects.of(key).length > 0) await releaseSkills(context, key, run);
  if (run === undefined || run.metadata.deletionTimestamp !== undefined) return {}; // its children go with it
  if (isFinished(run)) return cleanUp(context, run);

  const job = jobOf(context, run);
  const execution = { job, podName: run.status?.podName };
  if (run.spec.cancelled === true) return end(context, run, cancelled(run, execution, context.clock.date()));
  if (job !== undefined) return follow(context, run, job);
  const begun = run.status?.jobName !== undefined || (context.memory.hadJob(uidOf(run)) && !isWaiting(run));
  if (!begun || isResuming(run)) return start(context, run);

  const message = 'the Job of the run was deleted by someone else: create the run again';
  return end(context, run, failed(run, execution, { reason: 'JobDeleted', message }, context.clock.date()));
}
