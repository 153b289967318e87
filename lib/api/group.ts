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
  /** Namespace of that AgentRun, on objects that may be elsewhere. */
  runNamespace: `${GROUP}/run-namespace`,
  /** Name of the SympoziumInstance an object belongs to. */
  instance: `${GROUP}/instance`,
  /** Name of the SympoziumInstance whose web endpoint created an AgentRun. */
  endpoint: `${GROUP}/endpoint`,
  /** Part of the system: `run`, `endpoint`, `controller`, `webhook`, `gateway` or `nats`. */
  component: `${GROUP}/component`,
} as const;

/** Annotations that the platform writes. */
export const ANNOTATIONS = {
  /** User name of whoever created the object, stamped at admission. */
  requestedBy: `${GROUP}/requested-by`,
  /** UID of the AgentRun that an object belongs to, where no owner reference can tell. */
  runUid: `${GROUP}/run-uid`,
  /** On a Namespace, by its administrator: namespaces whose skills may work in it, with commas between, or `*`. */
  skillsFrom: `${GROUP}/skills-from`,
} as const;

/** Audiences of the projected tokens that a run's bridge holds. */
export const AUDIENCES = { bus: 'sympozium-bus', gateway: 'sympozium-gateway' } as const;

/** Name of the policy an instance gets that names none. */
export const DEFAULT_POLICY = 'default';

/** Name of the built-in SkillPack that serves its instance over HTTP. */
export const WEB_ENDPOINT = 'web-endpoint';

/** Prefix of the names of all that belongs to the web endpoint of an instance: `web-<name of the instance>`. */
export const WEB_PREFIX = 'web-';

/** Prefix of the names of a run's children (ServiceAccount and Job): `run-<name of the AgentRun>`. */
export const RUN_PREFIX = 'run-';

/** Name of the ServiceAccount and of the Job that belong to the AgentRun called `run`. */
export const runChildName = (run: string): string => `${RUN_PREFIX}${run}`;

/** ClusterRole with all that skills may be given. Roles with the label below are a part of it. */
export const SKILL_GRANTS = 'sympozium-skill-grants';

/** Label, with the value `true`, of a ClusterRole whose rules skills may be given. */
export const AGGREGATE_TO_SKILL_GRANTS = `${GROUP}/aggregate-to-skill-grants`;
