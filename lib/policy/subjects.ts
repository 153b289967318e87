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

/** API subject that reads a run's task, and nothing else, from the stream of tasks. */
export const taskQuery = (ref: RunRef): string => `$JS.API.DIRECT.GET.${STREAMS.task}.${runSubject(ref, 'task')}`;

/** Names of the JetStream streams, one per concern. */
export const STREAMS = { task: 'RUN_TASKS', event: 'RUN_EVENTS', result: 'RUN_RESULTS' } as const;
