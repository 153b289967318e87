import type { Command } from 'commander';
import { instant, seconds, UsageError } from '../command.ts';

/** Options of a span of time, as read. */
export interface SpanOptions {
  readonly since: number;
  readonly end?: Date;
  readonly step?: number;
}

/** A span of time in seconds, with the distance of its points. */
export interface Span {
  readonly start: number;
  readonly end: number;
  readonly step: number;
}

const POINTS = 30;
const MAX_POINTS = 1000;

/** Adds `--since`, by default an hour, and `--end`, by default now. */
export const withSpan = (command: Command): Command =>
  command
    .option('--since <duration>', 'length of the span', seconds, 3600)
    .option('--end <time>', 'end of the span (default: now)', instant);

/** The span that the options describe. @throws UsageError when it has too many points */
export function spanOf({ since, end, step }: SpanOptions, now: Date): Span {
  const last = (end ?? now).getTime() / 1000;
  const distance = step ?? Math.max(1, Math.ceil(since / POINTS));
  if (since / distance > MAX_POINTS) {
    const least = Math.ceil(since / MAX_POINTS);
    throw new UsageError(
      `step: got ${distance}s, which is more than ${MAX_POINTS} points: expected at least ${least}s`,
    );
  }
  return { start: last - since, end: last, step: distance };
}
