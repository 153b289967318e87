import { messageOf } from '../../errors.ts';
import { keyOf, type KubeApi } from '../../kube/port.ts';
import { AGENT_RUNS } from '../../kube/resources.ts';
import type { Log } from '../../log.ts';
import { sleep, type Clock } from '../../runtime/clock.ts';
import type { Cache } from '../../kube/reflector.ts';
import type { AgentRun } from '../../../lib/api/v1alpha1/agent-run.ts';
import type { RunRef } from '../../bus/subjects.ts';
import { expiredRuns, type Retention } from './retention.ts';

const EVERY_MS = 15_000;
/** Most runs deleted in one round, so that a lowered limit doesn't flood the API server. */
const MOST = 100;

/** What the janitor works with. */
export interface JanitorOptions {
  readonly kube: Pick<KubeApi, 'delete'>;
  readonly runs: Cache<AgentRun>;
  /** Removes what the bus still holds of a run. */
  readonly forget: (run: RunRef) => Promise<void>;
  readonly retention: Retention;
  readonly clock: Clock;
  readonly log: Log;
}

/** Deletes the finished runs that are kept no longer, until the signal. */
export async function runJanitor(options: JanitorOptions, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await sweep(options);
    await sleep(options.clock, EVERY_MS, signal);
  }
}

/** One round. */
export async function sweep({ kube, runs, forget, retention, clock, log }: JanitorOptions): Promise<void> {
  for (const run of expiredRuns(runs.list(), retention, clock.date()).slice(0, MOST)) {
    const { name, namespace = 'default', uid } = run.metadata;
    try {
      // First, because the bus knows runs by their names: once the name is free, another run may have it.
      await forget({ namespace, name });
      await kube.delete(AGENT_RUNS, { namespace, name }, { uid });
      log.info('Deleted an expired run', { run: keyOf(run) });
    } catch (error) {
      log.warn('Could not delete an expired run', { run: keyOf(run), why: messageOf(error) });
    }
  }
}
