import type { RunConcern, RunRef } from '../../lib/policy/subjects.ts';

/** NATS' configuration, which is a manifest, names some of them: those are in `lib/`. */
export {
  ANY_RUN, lastQuery, READABLE, runSubject, STREAMS, WRITABLE, type RunConcern, type RunRef,
} from '../../lib/policy/subjects.ts'; // prettier-ignore

/** The run a subject speaks of, or `undefined` for a subject that is not a run's. */
export function runOfSubject(subject: string): (RunRef & { readonly concern: RunConcern }) | undefined {
  const match = /^sympozium\.run\.([^.]+)\.([^.]+)\.(task|control|event|result|approval|checkpoint|audit)$/.exec(
    subject,
  );
  if (match === null) return undefined;
  const [, namespace = '', name = '', concern] = match;
  return { namespace, name, concern: concern as RunConcern };
}

/** Subject prefix that a run's bridge gets its answers on. `_` is in no Kubernetes name, so no two runs share one. */
export const runInbox = ({ namespace, name }: RunRef): string => `_INBOX_${namespace}_${name}`;

/** Durable consumer through which the controller takes results, approvals and audit records, one per stream. */
export const CONSUMER = 'controller';

/** Stream of the messages that were given up: JetStream's advisories, with the sequence of the message and the reason. */
export const DEAD_LETTERS = 'DEAD_LETTERS';
