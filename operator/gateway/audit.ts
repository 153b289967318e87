import { createHash } from 'node:crypto';
import { canonicalJson } from '../../lib/policy/canonical.ts';
import type { AuditRecord } from '../bus/messages.ts';
import type { Log } from '../log.ts';
import type { Caller } from './callers.ts';

/** Writes one line for each call that the gateway denied, in the shape of the records on the bus. */
export interface Auditor {
  readonly log: Log;
  readonly date: () => Date;
}

/** What was denied, and by which rule; of arguments only their hash is written. */
export interface Denial {
  readonly action: 'fetch' | 'model';
  readonly rule: string;
  readonly tool?: string;
  readonly arguments?: Readonly<Record<string, unknown>>;
}

export function auditDenial({ log, date }: Auditor, caller: Caller, { arguments: given, ...denial }: Denial): void {
  const { namespace, run, uid, instance, requestedBy } = caller;
  const record: AuditRecord = {
    v: 1,
    uid,
    at: date().toISOString(),
    namespace,
    run,
    instance,
    ...(requestedBy === undefined ? {} : { requestedBy }),
    ...denial,
    ...(given === undefined ? {} : { argumentsHash: sha256(canonicalJson(given)) }),
    verdict: 'denied',
  };
  log.warn('Audit', { ...record });
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
