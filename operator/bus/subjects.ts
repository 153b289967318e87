/** Subjects and streams of the bus. Everything about a run lives under `sympozium.run.<namespace>.<run>`. */

/** A run, as the bus addresses it. Names are DNS labels, so they are single subject tokens. */
export interface RunRef {
  readonly namespace: string;
  readonly name: string;
}

/** What is said about a run: its task, what happens in it, its result. */
export type RunConcern = 'task' | 'event' | 'result';

const ROOT = 'sympozium.run';

/** Subject of one concern of one run; `*` for either name subscribes to all. */
export const runSubject = ({ namespace, name }: RunRef, concern: RunConcern): string =>
  `${ROOT}.${namespace}.${name}.${concern}`;

/** The run a subject speaks of, or `undefined` for a subject that is not a run's. */
export function runOfSubject(subject: string): (RunRef & { readonly concern: RunConcern }) | undefined {
  const match = /^sympozium\.run\.([^.]+)\.([^.]+)\.(task|event|result)$/.exec(subject);
  if (match === null) return undefined;
  const [, namespace = '', name = '', concern] = match;
  return { namespace, name, concern: concern as RunConcern };
}

/** Names of the JetStream streams, one per concern. */
export const STREAMS = { task: 'RUN_TASKS', event: 'RUN_EVENTS', result: 'RUN_RESULTS' } as const;
