import { ANNOTATIONS } from '../../../lib/api/group.ts';
import { durationSeconds } from '../../../lib/api/duration.ts';
import type { KubeObject } from '../../kube/port.ts';
import { ALLOWED, refuse, type Verdict } from '../review.ts';

/** Nobody can put someone else's name on what they asked for. */
export function requestedByIsKept(before: KubeObject | undefined, after: KubeObject): Verdict {
  if (before === undefined) return ALLOWED;
  const key = ANNOTATIONS.requestedBy;
  const [was, is] = [before.metadata.annotations?.[key], after.metadata.annotations?.[key]];
  if (was === is) return ALLOWED;
  return refuse(
    `annotation ${key} can't be changed: got ${quote(is)}, expected ${quote(was)}; leave it as it was stamped`,
  );
}

/** A time limit lets at least one second pass. */
export function isTimeLimit(field: string, text: string | undefined): Verdict {
  if (text === undefined) return ALLOWED;
  try {
    if (durationSeconds(text) >= 1) return ALLOWED;
  } catch {
    // said below
  }
  return refuse(`${field} is no time limit: got '${text}', expected at least one second, for example '90s' or '10m'`);
}

const quote = (text: string | undefined) => (text === undefined ? 'none' : `'${text}'`);
