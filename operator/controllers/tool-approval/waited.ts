import type { ToolApproval } from '../../../lib/api/v1alpha1/tool-approval.ts';

/** Most that a run may wait for people, all in all, without it counting towards its timeout. */
export const LONGEST_WAIT_SECONDS = 24 * 3600;

/**
 * Milliseconds in which a run waited for people since `sinceMs`: the times in which at least one of its calls did, at most a
 * day. Times are in milliseconds since 1970.
 */
export function waitedMs(approvals: readonly ToolApproval[], sinceMs: number, nowMs: number): number {
  const times = approvals
    .map(({ metadata, spec }) => ({
      from: Math.max(sinceMs, Date.parse(metadata.creationTimestamp ?? '') || nowMs),
      to: Math.min(nowMs, spec.decidedAt === undefined ? nowMs : Date.parse(spec.decidedAt)),
    }))
    .sort((a, b) => a.from - b.from);
  let total = 0;
  let end = -Infinity;
  for (const { from, to } of times) {
    total += Math.max(0, to - Math.max(from, end));
    end = Math.max(end, to);
  }
  return Math.min(total, LONGEST_WAIT_SECONDS * 1000);
}
