/** Subjects and streams of the bus. Everything about a run lives under `sympozium.run.<namespace>.<run>`. */

/** A run, as the bus addresses it. Names are DNS labels, so they are single subject tokens. */
export interface RunRef {
  readonly namespace: string;
  readonly name: string;
}

/**
 * What is said about a run. To its bridge: `task` once, `control` whenever the policy or a decision changes. By its
 * bridge: `event`, `result`, `approval` (a call waits for a person), `checkpoint` (where another attempt goes on), `audit`.
 */
export type RunConcern = 'task' | 'control' | 'event' | 'result' | 'approval' | 'checkpoint' | 'audit';

const ROOT = 'sympozium.run';

/** Stands for every run in a subscription. */
export const ANY_RUN: RunRef = { namespace: '*', name: '*' };

/** Subject of one concern of one run. */
export const runSubject = ({ namespace, name }: RunRef, concern: RunConcern): string =>
  `${ROOT}.${namespace}.${name}.${concern}`;

/** What a bridge may read back: of each, the last message about its own run. */
export const READABLE = ['task', 'control', 'checkpoint'] as const satisfies readonly RunConcern[];
/** What a bridge may say about its own run. */
export const WRITABLE = ['event', 'result', 'approval', 'checkpoint', 'audit'] as const satisfies readonly RunConcern[];

/** API subject that reads the last message of one concern of one run, and nothing else. */
export const lastQuery = (ref: RunRef, concern: (typeof READABLE)[number]): string =>
  `$JS.API.DIRECT.GET.${STREAMS[concern]}.${runSubject(ref, concern)}`;

/** Names of the JetStream streams, one per concern. */
export const STREAMS = {
  task: 'RUN_TASKS',
  control: 'RUN_CONTROL',
  event: 'RUN_EVENTS',
  result: 'RUN_RESULTS',
  approval: 'RUN_APPROVALS',
  checkpoint: 'RUN_CHECKPOINTS',
  audit: 'RUN_AUDIT',
} as const;
