import { durationSeconds } from '../../../lib/api/duration.ts';
import { ANNOTATIONS } from '../../../lib/api/group.ts';
import { isStoredOnly, pendingFields } from '../../../lib/api/v1alpha1/pending.ts';
import type { EffectivePolicy } from '../../../lib/policy/effective.ts';
import type { KubeObject } from '../../kube/port.ts';
import { ALLOWED, join, refuse, warn, type Verdict } from '../review.ts';

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

/**
 * A field that nothing acts on yet earns a warning, and a refusal where it is a rule: a rule that does not hold must not
 * look as if it did.
 */
export function hasEffect(kind: string, spec: object): Verdict {
  if (isStoredOnly(kind)) return warn(`this version stores a ${kind} and does not act on it yet`);
  return join([
    ...pendingFields(kind, spec, 'refused').map((field) =>
      refuse(`${field} is not enforced by this version: leave it out, so that nobody relies on it`),
    ),
    ...pendingFields(kind, spec, 'ignored').map((field) => warn(`${field} has no effect in this version`)),
  ]);
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

/** A list that says both yes and no to a tool says nothing. */
export function contradiction(
  own: { readonly allow?: readonly string[] | undefined; readonly deny?: readonly string[] | undefined } | undefined,
): Verdict {
  const { allow = [], deny = [] } = own ?? {};
  const both = allow.filter((tool) => deny.includes(tool));
  return join(
    both.map((tool) => refuse(`spec.toolPolicy both allows and denies '${tool}': remove it from one of the two lists`)),
  );
}

/** A sandbox that the cluster doesn't have can't be replaced by none. */
export function sandboxExists(
  { runtimeClasses }: Pick<EffectivePolicy, 'runtimeClasses'>,
  exists: (name: string) => boolean,
): Verdict {
  const missing = runtimeClasses.find(({ name }) => !exists(name));
  if (missing === undefined) return ALLOWED;
  return refuse(
    `${missing.source} needs RuntimeClass '${missing.name}', which is not in this cluster: install it on the nodes, or choose a policy with another sandbox`,
  );
}

const quote = (text: string | undefined) => (text === undefined ? 'none' : `'${text}'`);
