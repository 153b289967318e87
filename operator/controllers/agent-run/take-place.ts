import type { AgentRun } from '../../../lib/api/v1alpha1/agent-run.ts';
import type { EffectivePolicy } from '../../../lib/policy/effective.ts';
import type { Result } from '../../runtime/controller.ts';
import type { RunContext } from './context.ts';
import { end } from './end.ts';
import { hold } from './hold.ts';
import { LONGEST_WAIT_MS, sentenceFor } from './queue.ts';
import { failed } from './status.ts';

/** Reason of a run that waits for one of the places of its instance. */
export const QUEUED = 'Queued';

/** Who isn't told of a change looks again after this time. */
const LOOK_AGAIN_MS = 60_000;

/**
 * Gives the run one of the places that its instance has, and returns `undefined`; or, when none is free, lets it wait for
 * its turn. What it waits counts towards no timeout, but after a day nobody expects an answer any more.
 */
export async function takePlace(
  context: RunContext,
  run: AgentRun,
  { limits }: Pick<EffectivePolicy, 'limits'>,
): Promise<Result | undefined> {
  const { concurrentRuns } = limits;
  const place = await context.places.take(run, concurrentRuns);
  if (place === undefined) return {}; // its end is looked at next
  const { position } = place;
  if (position === 0 || concurrentRuns === undefined) return undefined;

  const now = context.clock.date();
  const leftMs = Date.parse(run.metadata.creationTimestamp ?? '') + LONGEST_WAIT_MS - now.getTime();
  const message = sentenceFor(position, run.spec.instanceRef, concurrentRuns);
  if (leftMs <= 0) {
    const why = `the run waited for a place for ${LONGEST_WAIT_MS / 3_600_000} hours, and still ${message}; raise limits.concurrentRuns, or create fewer runs`;
    return end(context, run, failed(run, {}, { reason: 'QueueTimeout', message: why }, now));
  }
  await hold(context, run, { reason: QUEUED, message });
  return { requeueAfterMs: Math.min(leftMs, LOOK_AGAIN_MS) };
}
