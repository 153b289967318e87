/** A run that has not ended: at work once it `holds` a place of its instance, else waiting for one. */
export interface QueuedRun {
  readonly uid: string;
  readonly key: string;
  /** When it was created, in milliseconds since 1970. */
  readonly createdAt: number;
  readonly holds: boolean;
}

/** A run waits at most this long for a place. */
export const LONGEST_WAIT_MS = 24 * 3_600_000;

/** So many runs are told their position; who is behind them is told more roughly, or each start would change them all. */
export const COUNTED = 10;

/** The waiting runs, in the order in which they are given places: that of their creation. */
export const waiting = <T extends QueuedRun>(runs: readonly T[]): T[] =>
  runs.filter(({ holds }) => !holds).sort((a, b) => a.createdAt - b.createdAt || (a.key < b.key ? -1 : 1));

/**
 * Position of a run among those that wait for one of the `limit` places of its instance, from 1; 0 when a place is its
 * own. A free place belongs to who has waited longest, whoever asks for it first.
 */
export function positionOf(uid: string, runs: readonly QueuedRun[], limit: number | undefined): number {
  if (limit === undefined) return 0;
  const queue = waiting(runs);
  const index = queue.findIndex((run) => run.uid === uid);
  const free = Math.max(0, limit - (runs.length - queue.length));
  return index < free ? 0 : index - free + 1;
}

/** What a waiting run is told. */
export function sentenceFor(position: number, instance: string, limit: number): string {
  const round = position > 100 ? 100 : COUNTED;
  const where = position <= COUNTED ? `at position ${position}` : `behind more than ${round} others`;
  return `waits for a place, ${where} in the queue of SympoziumInstance '${instance}': it has at most ${limit} ${limit === 1 ? 'run' : 'runs'} at work at once`;
}
