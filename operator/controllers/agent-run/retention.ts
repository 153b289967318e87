import { durationSeconds } from '../../../lib/api/duration.ts';
import { isFinished, type AgentRun } from '../../../lib/api/v1alpha1/agent-run.ts';
import { keyFor } from '../../kube/port.ts';

/** How long finished runs are kept. */
export interface Retention {
  /** For runs that don't say themselves. */
  readonly ageMs: number;
  /** Most finished runs of one instance. */
  readonly runsPerInstance: number;
}

/** The finished runs that are kept no longer: those past their time, and of each instance the oldest beyond its number. */
export function expiredRuns(runs: readonly AgentRun[], { ageMs, runsPerInstance }: Retention, now: Date): AgentRun[] {
  const finished = runs
    .filter((run) => isFinished(run) && run.metadata.deletionTimestamp === undefined)
    .sort((a, b) => completedAt(b) - completedAt(a) || version(b) - version(a));
  const counts = new Map<string, number>();
  return finished.filter((run) => {
    const instance = keyFor(run.metadata.namespace, run.spec.instanceRef);
    const count = (counts.get(instance) ?? 0) + 1;
    counts.set(instance, count);
    const keptMs = run.spec.ttlAfterFinished === undefined ? ageMs : durationSeconds(run.spec.ttlAfterFinished) * 1000;
    return count > runsPerInstance || now.getTime() - completedAt(run) >= keptMs;
  });
}

const completedAt = ({ metadata, status }: AgentRun): number =>
  Date.parse(status?.completionTime ?? metadata.creationTimestamp ?? '') || 0;

/** Times are in whole seconds: of two runs that ended in the same one, the later has the higher version. */
const version = ({ metadata }: AgentRun): number => Number(metadata.resourceVersion ?? 0);
