import { isFinished, type AgentRun, type AgentRunStatus } from '../../../lib/api/v1alpha1/agent-run.ts';
import { runDuration, runsActive, runsEnded, runStart } from '../../metrics/runs.ts';
import type { Cache } from '../../kube/reflector.ts';

/** Counts that a run has come to another phase, `seconds` after its creation. */
export function measurePhase({ metadata }: AgentRun, status: AgentRunStatus, seconds: number): void {
  const { phase, reason = phase } = status;
  const run_namespace = metadata.namespace ?? 'default';
  if (phase === 'Running' && status.attempts === undefined) runStart.record(seconds, { run_namespace });
  if (!isFinished({ status })) return;
  runsEnded.add({ run_namespace, phase, reason });
  runDuration.record(seconds, { run_namespace, phase });
}

/** Lets the metrics know how many runs go on. A namespace once seen is told of also when it has none any more. */
export function observeActive(runs: Cache<AgentRun>): void {
  const namespaces = new Map<string, { Pending: number; Running: number }>();
  runsActive.from(() => {
    for (const counts of namespaces.values()) counts.Pending = counts.Running = 0;
    for (const { metadata, status } of runs.list()) {
      const namespace = metadata.namespace ?? 'default';
      const counts = namespaces.get(namespace) ?? { Pending: 0, Running: 0 };
      namespaces.set(namespace, counts);
      if (!isFinished({ status })) counts[status?.phase === 'Running' ? 'Running' : 'Pending'] += 1;
    }
    return [...namespaces].flatMap(([run_namespace, counts]) =>
      (['Pending', 'Running'] as const).map((phase) => [counts[phase], { run_namespace, phase }] as const),
    );
  });
}
