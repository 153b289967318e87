import { WEB_ENDPOINT, WEB_PREFIX } from '../../../lib/api/group.ts';
import { MAX_HISTORY } from '../../../lib/api/limits.ts';
import { historyLength, type AgentRun } from '../../../lib/api/v1alpha1/agent-run.ts';
import type { SympoziumInstance } from '../../../lib/api/v1alpha1/instance.ts';
import { ALLOWED, refuse, type Verdict } from '../review.ts';

/** The instance whose web endpoint a user may be, by its name: `system:serviceaccount:<namespace>:web-<instance>`. */
export function servedBy(
  user: string | undefined,
): { readonly namespace: string; readonly instance: string } | undefined {
  const [, namespace, account = ''] = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(user ?? '') ?? [];
  if (namespace === undefined || !account.startsWith(WEB_PREFIX)) return undefined;
  return { namespace, instance: account.slice(WEB_PREFIX.length) };
}

/**
 * A web endpoint makes and cancels runs of the instance that it serves. RBAC can't say that, because a right to create
 * holds for a whole namespace.
 *
 * @param served the instance of that name, if there is one
 */
export function staysWithItsInstance(run: AgentRun, served: SympoziumInstance | undefined): Verdict {
  if (served?.spec.skills?.includes(WEB_ENDPOINT) !== true) return ALLOWED; // somebody's own ServiceAccount
  const { name } = served.metadata;
  if (run.spec.instanceRef === name) return ALLOWED;
  return refuse(
    `spec.instanceRef: got '${run.spec.instanceRef}', expected '${name}': the web endpoint of an instance makes and cancels runs of that instance only`,
  );
}

/** A history fits into the messages that carry it to the agent; no rule of a CRD can add up lengths. */
export function historyFits({ spec }: AgentRun): Verdict {
  const length = historyLength(spec.history ?? []);
  if (length <= MAX_HISTORY) return ALLOWED;
  return refuse(`spec.history: got ${length} characters in all, expected at most ${MAX_HISTORY}: leave out the oldest`);
}
