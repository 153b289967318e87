import { RUN_PREFIX } from './group.ts';

/** Limits of a run that its small processes need as well: this file imports no schema, which would cost them time. */

/** Most characters of `spec.input`. */
export const MAX_INPUT = 65_536;
/** Most bytes of `status.output`; what is longer is cut with a notice. */
export const MAX_OUTPUT_BYTES = 65_536;
/** Most characters of `status.message`. */
export const MAX_MESSAGE = 4096;
/** Most characters of an AgentRun's name: its children's names must stay DNS labels. */
export const MAX_RUN_NAME = 63 - RUN_PREFIX.length;
