import { RUN_PREFIX } from './group.ts';

/** Limits of a run that its small processes need as well: this file imports no schema, which would cost them time. */

/** Most characters of `spec.input`. */
export const MAX_INPUT = 65_536;
/** Most turns of `spec.history`. */
export const MAX_TURNS = 128;
/** Most characters of all turns of `spec.history` together. */
export const MAX_HISTORY = 262_144;
/** Most bytes of `status.output`; what is longer is cut with a notice. */
export const MAX_OUTPUT_BYTES = 65_536;
/** How a `status.output` ends that was cut. */
export const CUT_NOTICE = '\n[cut]';
/** Most characters of `status.message`. */
export const MAX_MESSAGE = 4096;
/** Fewest characters of the key that a web endpoint asks for. */
export const MIN_API_KEY = 16;
/** Requests that a web endpoint takes in a minute when its instance doesn't say. */
export const DEFAULT_REQUESTS_PER_MINUTE = 60;
/** Most bytes of a call's arguments, as JSON, that a person can be asked about. */
export const MAX_APPROVAL_ARGUMENTS = 65_536;
/** Most characters of a SkillPack's name: `skill-<name>-secret` must stay a DNS label. */
export const MAX_SKILL_NAME = 50;
/** Most characters of an AgentRun's name: its children's names must stay DNS labels. */
export const MAX_RUN_NAME = 63 - RUN_PREFIX.length;
