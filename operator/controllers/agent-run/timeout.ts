import { durationSeconds } from '../../../lib/api/duration.ts';
import { DEFAULT_TIMEOUT, type AgentRun } from '../../../lib/api/v1alpha1/agent-run.ts';
import type { SympoziumInstance } from '../../../lib/api/v1alpha1/instance.ts';

/** Longest time a run may take: its own word, else its instance's, else ten minutes. */
export const runTimeoutSeconds = (run: AgentRun, instance: SympoziumInstance): number =>
  durationSeconds(run.spec.timeout ?? instance.spec.limits?.runTimeout ?? DEFAULT_TIMEOUT);
