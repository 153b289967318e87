import { isFinished, type AgentRun } from '../../../lib/api/v1alpha1/agent-run.ts';
import type { ResultMessage } from '../../bus/messages.ts';
import type { RunRef } from '../../bus/subjects.ts';
import { keyFor } from '../../kube/port.ts';
import { AGENT_RUNS } from '../../kube/resources.ts';
import type { RunContext } from './context.ts';
import { announceEnd, attempt, writeStatus } from './end.ts';
import { jobOf } from './own.ts';
import { recorded } from './status.ts';

/** What becomes of a result's message on the bus. */
export type Recording = 'done' | { readonly retryInMs: number };

const ATTEMPTS = 5;

/**
 * Records how a run ended. A finished run never changes, so recording a result twice does nothing the second time.
 *
 * The status is written before anything else is looked at: someone is waiting for it.
 */
export async function recordResult(
  context: RunContext,
  { namespace, name }: RunRef,
  result: ResultMessage,
): Promise<Recording> {
  const { kube, caches, clock, log } = context;
  const key = keyFor(namespace, name);
  let run: AgentRun | undefined = caches.runs.get(key);
  for (let count = 0; count < ATTEMPTS; count += 1) {
    // The copy may be behind: a result for a run that it doesn't know, or knows another one of, is worth a question.
    if (run?.metadata.uid !== result.uid) run = await kube.get(AGENT_RUNS, { namespace, name });
    if (run?.metadata.uid !== result.uid || isFinished(run)) {
      log.info('Ignored the result of a run that has ended', { run: key, uid: result.uid });
      return 'done';
    }
    const job = jobOf(context, run);
    const podName = caches.podOfRun(key, job?.metadata.uid)?.metadata.name;
    const status = recorded(run, { job, podName }, result, clock.date());
    const current: AgentRun = run;
    const written = await attempt(() => writeStatus(context, current, status));
    if (written !== undefined) {
      if (status.jobName === undefined) await announceEnd(context, written); // else the clean-up does
      return 'done';
    }
    run = await kube.get(AGENT_RUNS, { namespace, name });
  }
  return { retryInMs: 250 };
}
