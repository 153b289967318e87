import type { AgentRun } from '../../../lib/api/v1alpha1/agent-run.ts';
import type { RunContext } from './context.ts';
import { attempt, writeStatus } from './end.ts';
import { held, type Ending } from './status.ts';

/** Says of a run without a Job what it waits for; nothing when it says so already. */
export async function hold(
  context: RunContext,
  run: AgentRun,
  ending: Ending,
  type: 'Normal' | 'Warning' = 'Normal',
): Promise<void> {
  const { status } = run;
  if (status?.reason === ending.reason && status.message === ending.message) return;
  await attempt(() => writeStatus(context, run, held(run, {}, ending, context.clock.date())));
  if (status?.reason !== ending.reason) await context.events.record(run, { ...ending, type });
}
