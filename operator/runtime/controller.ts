import { ReconcileError } from '../errors.ts';
import type { Log } from '../log.ts';
import { secondsSince } from '../metrics/instrument.ts';
import { reconciliations } from '../metrics/queue.ts';
import type { WorkQueue } from './work-queue.ts';

/** What a reconcile asks for: nothing, or to be called again in a while even if nothing changes. */
export interface Result {
  readonly requeueAfterMs?: number | undefined;
}

/** Brings one object to where it should be. Safe to call at any time, any number of times. */
export type Reconcile = (key: string) => Promise<Result>;

/** What a {@link runController} loop needs. */
export interface ControllerOptions {
  readonly name: string;
  readonly queue: WorkQueue;
  readonly reconcile: Reconcile;
  readonly workers: number;
  readonly log: Log;
}

/** Works through the queue until it is closed, and resolves when the last worker has ended. */
export async function runController(options: ControllerOptions): Promise<void> {
  await Promise.all(Array.from({ length: options.workers }, () => work(options)));
}

async function work({ name, queue, reconcile, log }: ControllerOptions): Promise<void> {
  for (let key = await queue.take(); key !== undefined; key = await queue.take()) {
    const start = performance.now();
    let outcome = 'success';
    try {
      const { requeueAfterMs } = await reconcile(key);
      queue.forget(key);
      if (requeueAfterMs !== undefined) queue.addAfter(key, requeueAfterMs);
    } catch (error) {
      outcome = error instanceof ReconcileError ? error.disposition.kind : 'error';
      retry({ name, queue, log }, key, error);
    } finally {
      reconciliations.record(secondsSince(start), { kind: name, outcome });
      queue.done(key);
    }
  }
}

function retry(
  { name, queue, log }: Pick<ControllerOptions, 'name' | 'queue' | 'log'>,
  key: string,
  error: unknown,
): void {
  if (!(error instanceof ReconcileError)) {
    log.error('Reconcile failed', { controller: name, object: key, error });
    queue.addRateLimited(key);
    return;
  }
  log.warn('Reconcile waits', { controller: name, object: key, reason: error.reason, why: error.message });
  queue.forget(key);
  if (error.disposition.kind === 'wait') queue.addAfter(key, error.disposition.seconds * 1000);
}
