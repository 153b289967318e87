import { isFinished, type AgentRun, type AgentRunStatus } from '../../../lib/api/v1alpha1/agent-run.ts';
import { isKubeError } from '../../kube/errors.ts';
import { keyOf } from '../../kube/port.ts';
import { AGENT_RUNS } from '../../kube/resources.ts';
import type { Result } from '../../runtime/controller.ts';
import type { RunContext } from './context.ts';
import { measurePhase } from './measure.ts';

type Writer = Pick<RunContext, 'kube' | 'caches' | 'clock' | 'log' | 'memory'>;

/** A status write that came too late was of no use: look again soon, with what is there now. */
const LOOK_AGAIN: Result = { requeueAfterMs: 200 };

/**
 * Writes the status of a run, if the run is still as it was looked at. Returns the run as it is now.
 *
 * @throws KubeError `Conflict` when the run has changed, `NotFound` when it is gone
 */
export async function writeStatus(
  { kube, caches, clock, log, memory }: Writer,
  run: AgentRun,
  status: AgentRunStatus,
): Promise<AgentRun> {
  const { name, namespace, resourceVersion } = run.metadata;
  const metadata = {
    name,
    ...(namespace === undefined ? {} : { namespace }),
    ...(resourceVersion === undefined ? {} : { resourceVersion }),
  };
  const written = await kube.applyStatus(AGENT_RUNS, { apiVersion: run.apiVersion, kind: run.kind, metadata, status });
  caches.runs.observe(written);
  if (status.phase !== run.status?.phase) {
    log.info('Changed the phase of a run', { run: keyOf(run), phase: status.phase, reason: status.reason });
    measurePhase(run, status, (clock.date().getTime() - memory.createdAt(run)) / 1000);
  }
  return written;
}

/** Ends a run. Its children are cleaned up by the reconcile that follows. */
export async function end(context: RunContext, run: AgentRun, status: AgentRunStatus): Promise<Result> {
  const written = await attempt(() => writeStatus(context, run, status));
  if (written === undefined) return LOOK_AGAIN;
  if (status.jobName === undefined) await announceEnd(context, written); // else the clean-up does
  return {};
}

/** Says in an Event how a run ended. */
export async function announceEnd({ events }: Pick<RunContext, 'events'>, run: AgentRun): Promise<void> {
  if (!isFinished(run) || run.status === undefined) return;
  const { phase, reason = phase, message = '' } = run.status;
  await events.record(run, {
    type: phase === 'Failed' ? 'Warning' : 'Normal',
    reason: phase === 'Succeeded' ? 'Succeeded' : reason,
    message: phase === 'Succeeded' ? 'the agent answered' : message,
    occasion: 'end',
  });
}

/** `undefined` when someone else was first. */
export async function attempt<T>(write: () => Promise<T>): Promise<T | undefined> {
  try {
    return await write();
  } catch (error) {
    if (isKubeError(error, 'Conflict', 'NotFound')) return undefined;
    throw error;
  }
}
