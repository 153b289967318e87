import { durationSeconds } from '../../../lib/api/duration.ts';
import { DEFAULT_TIMEOUT, type AgentRun } from '../../../lib/api/v1alpha1/agent-run.ts';
import type { SympoziumInstance } from '../../../lib/api/v1alpha1/instance.ts';
import type { EffectivePolicy } from '../../../lib/policy/effective.ts';

/** Longest time a run may take: its own word, else its instance's, else ten minutes; never more than the limits allow. */
export function runTimeoutSeconds(
  run: AgentRun,
  instance: SympoziumInstance,
  { limits }: Pick<EffectivePolicy, 'limits'>,
): number {
  const wanted = durationSeconds(run.spec.timeout ?? instance.spec.limits?.runTimeout ?? DEFAULT_TIMEOUT);
  return Math.min(wanted, limits.runTimeoutSeconds ?? wanted);
}
