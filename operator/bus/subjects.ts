/** Subjects and streams of the bus. Everything about a run lives under `sympozium.run.<namespace>.<run>`. */

/** A run, as the bus addresses it. Names are DNS labels, so they are single subject tokens. */
export interface RunRef {
  readonly namespace: string;
  readonly name: string;
}

/** What is said about a run: its task, what happens in it, its result. */
export type RunConcern = 'task' | 'event' | 'result';

const ROOT = 'sympozium.run';

/** Stands for every run in a subscription. */
export const ANY_RUN: RunRef = { namespace: '*', name: '*' };

/** Subject of one concern of one run. */
export const runSubject = ({ namespace, name }: RunRef, concern: RunConcern): string =>
  `${ROOT}.${namespace}.${name}.${concern}`;

/** The run a subject speaks of, or `undefined` for a subject that is not a run's. */
export function runOfSubject(subject: string): (RunRef & { readonly concern: RunConcern }) | undefined {
  const match = /^sympozium\.run\.([^.]+)\.([^.]+)\.(task|event|result)$/.exec(subject);
  if (match === null) return undefined;
  const [, namespace = '', name = '', concern] = match;
  return { namespace, name, concern: concern as RunConcern };
}

/** Subject prefix that a run's bridge gets its answers on. `_` is in no Kubernetes name, so no two runs share one. */
export const runInbox = ({ namespace, name }: RunRef): string => `_INBOX_${namespace}_${name}`;

/** API subject that reads a run's task, and nothing else, from the stream of tasks. */
export const taskQuery = (ref: RunRef): string => `$JS.API.DIRECT.GET.${STREAMS.task}.${runSubject(ref, 'task')}`;

/** Names of the JetStream streams, one per concern. */
export const STREAMS = { task: 'RUN_TASKS', event: 'RUN_EVENTS', result: 'RUN_RESULTS' } as const;

/** Durable consumer through which the controller takes results. */
export const RESULT_CONSUMER = 'controller';

/** Stream of the results that were given up: JetStream's advisories, with the sequence of the message and the reason. */
export const DEAD_LETTERS = 'DEAD_LETTERS';
