/** Names that every part of the system shares: the API group, labels, annotations and token audiences. */

/** API group of all our kinds. */
export const GROUP = 'sympozium.ai';
/** Version of all our kinds. */
export const VERSION = 'v1alpha1';
/** `apiVersion` of all our kinds. */
export const API_VERSION = `${GROUP}/${VERSION}`;

/** Labels that select what belongs to a run, and what part of the system a Pod is. */
export const LABELS = {
  /** Name of the AgentRun an object belongs to. */
  run: `${GROUP}/run`,
  /** Name of the SympoziumInstance an object belongs to. */
  instance: `${GROUP}/instance`,
  /** Part of the system: `run`, `controller`, `webhook`, `gateway` or `nats`. */
  component: `${GROUP}/component`,
} as const;

/** Annotations that the platform writes. */
export const ANNOTATIONS = {
  /** User name of whoever created the object, stamped at admission. */
  requestedBy: `${GROUP}/requested-by`,
} as const;

/** Audiences of the projected tokens that a run's bridge holds. */
export const AUDIENCES = { bus: 'sympozium-bus', gateway: 'sympozium-gateway' } as const;

/** Name of the policy an instance gets that names none. */
export const DEFAULT_POLICY = 'default';

/** Prefix of the names of a run's children (ServiceAccount and Job): `run-<name of the AgentRun>`. */
export const RUN_PREFIX = 'run-';

/** Name of the ServiceAccount and of the Job that belong to the AgentRun called `run`. */
export const runChildName = (run: string): string => `${RUN_PREFIX}${run}`;
