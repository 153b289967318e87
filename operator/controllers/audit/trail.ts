import type { AgentRun } from '../../../lib/api/v1alpha1/agent-run.ts';
import type { AuditRecord } from '../../bus/messages.ts';
import type { Outcome } from '../../bus/run-bus.ts';
import type { RunRef } from '../../bus/subjects.ts';
import type { Events } from '../../kube/events.ts';
import { keyFor } from '../../kube/port.ts';
import type { Cache } from '../../kube/reflector.ts';
import type { Log } from '../../log.ts';
import { denialOf } from './denial.ts';
import { trusted } from './trusted.ts';

/** What an {@link AuditTrail} works with. */
export interface AuditTrailOptions {
  readonly runs: Cache<AgentRun>;
  readonly events: Pick<Events, 'record'>;
  readonly log: Log;
}

/** Most Events about denials of one run: an agent could fill etcd with them. */
export const MOST_EVENTS = 20;

/** Writes what was decided in runs to the log, one line per record, and denials to Events of the AgentRun. */
export class AuditTrail {
  readonly #options: AuditTrailOptions;
  /** The denials of each run that there is an Event of. */
  readonly #said = new Map<string, Set<string>>();

  constructor(options: AuditTrailOptions) {
    this.#options = options;
  }

  /** Takes a record from the bus. A record that comes twice is logged twice, with the same `uid`, `at` and `call`. */
  async record(ref: RunRef, told: AuditRecord): Promise<Outcome> {
    const { runs, log } = this.#options;
    const run = runs.get(keyFor(ref.namespace, ref.name));
    const record = trusted(ref, told, run);
    if ('because' in record) return { poison: record.because };
    const denial = denialOf(record);
    log[denial === undefined ? 'info' : 'warn']('Audit', { ...record });
    if (denial !== undefined && run?.metadata.uid === record.uid) await this.#say(run, denial);
    return 'done';
  }

  /** The run is gone. */
  forget(uid: string): void {
    this.#said.delete(uid);
  }

  async #say(run: AgentRun, denial: NonNullable<ReturnType<typeof denialOf>>): Promise<void> {
    const { uid = '' } = run.metadata;
    const said = this.#said.get(uid) ?? new Set<string>();
    this.#said.set(uid, said);
    if (said.size > MOST_EVENTS || said.has(denial.occasion ?? '')) return;
    said.add(denial.occasion ?? '');
    if (said.size <= MOST_EVENTS) {
      await this.#options.events.record(run, denial);
      return;
    }
    const message = `more than ${MOST_EVENTS} things were denied to the run: the others are in the log of the controller only, as lines with the message Audit`;
    await this.#options.events.record(run, { type: 'Warning', reason: 'DenialsOmitted', message });
  }
}
