import type { RunBus } from '../../bus/run-bus.ts';
import { keyOf } from '../../kube/port.ts';
import type { Caches } from '../caches.ts';
import { AuditTrail, type AuditTrailOptions } from './trail.ts';

/** What {@link consumeAudit} works with. */
export interface ConsumeAuditOptions extends Omit<AuditTrailOptions, 'runs'> {
  readonly caches: Pick<Caches, 'runs'>;
  readonly bus: Pick<RunBus, 'consumeAudit'>;
}

/** Writes down every audit record that bridges send, until the signal. */
export function consumeAudit({ caches, bus, ...options }: ConsumeAuditOptions, signal: AbortSignal): Promise<void> {
  const trail = new AuditTrail({ ...options, runs: caches.runs });
  caches.runs.onChange((run) => {
    const { uid = '' } = run.metadata;
    if (caches.runs.get(keyOf(run))?.metadata.uid !== uid) trail.forget(uid);
  });
  return bus.consumeAudit((ref, record) => trail.record(ref, record), signal);
}
