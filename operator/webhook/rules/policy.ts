import { durationSeconds } from '../../../lib/api/duration.ts';
import { PROVIDERS } from '../../../lib/api/v1alpha1/provider.ts';
import type { SympoziumPolicy } from '../../../lib/api/v1alpha1/policy.ts';
import { ALLOWED, join, refuse, warn, type Verdict } from '../review.ts';
import { isTimeLimit } from './common.ts';

/** What is known of the surroundings of a policy. */
export interface PolicyFacts {
  /** The one namespace whose policies may be floors. */
  readonly systemNamespace: string;
  readonly runtimeClassExists: (name: string) => boolean;
}

type Spec = SympoziumPolicy['spec'];

/** Most that a call may wait for a person, and all calls of a run together. */
const LONGEST_APPROVAL = '24h';

/** Refuses a policy that can't be obeyed. It may name a sandbox that is still to be installed, and is told so. */
export function admitPolicy({ metadata, spec }: SympoziumPolicy, facts: PolicyFacts): Verdict {
  return join([
    sandboxExists(spec, facts.runtimeClassExists),
    isTimeLimit('spec.limits.runTimeout', spec.limits?.runTimeout),
    ...approvalWorks(spec.approval),
    ...egressIsReadable(spec.egress),
    ...(spec.models?.allowed ?? []).map(isModel),
    ...(spec.images?.registries ?? []).map(isRegistry),
    ...(spec.enforce === undefined ? [] : [...floorIsWhere(metadata.namespace, facts), ...selectorWorks(spec.enforce)]),
  ]);
}

function sandboxExists({ sandbox }: Spec, runtimeClassExists: PolicyFacts['runtimeClassExists']): Verdict {
  const { enabled = false, runtimeClass } = sandbox ?? {};
  if (!enabled || runtimeClass === undefined || runtimeClassExists(runtimeClass)) return ALLOWED;
  return warn(
    `RuntimeClass '${runtimeClass}' is not in this cluster: runs under this policy are refused until it is installed`,
  );
}

function* approvalWorks(approval: Spec['approval']): Generator<Verdict> {
  const { timeout, approvers } = approval ?? {};
  yield isTimeLimit('spec.approval.timeout', timeout);
  if (timeout !== undefined && durationSeconds(timeout) > durationSeconds(LONGEST_APPROVAL)) {
    yield refuse(`spec.approval.timeout is too long: got '${timeout}', expected at most ${LONGEST_APPROVAL}`);
  }
  if (approvers === undefined) return;
  const { users = [], groups = [] } = approvers;
  if (users.length + groups.length > 0) return;
  yield refuse(
    'spec.approval.approvers names nobody, so no call could ever be approved: list users or groups, or leave approvers out',
  );
}

/** Names, and names below a name, as `decideHost` compares them. */
const HOST = /^(\*\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\.?$/i;
/** IPv6 addresses, as URLs have them but for the brackets. */
const ADDRESS = /^[0-9a-f]{0,4}(:[0-9a-f]{0,4}){2,7}$/i;

function* egressIsReadable(egress: Spec['egress']): Generator<Verdict> {
  const { mode, hosts = [] } = egress ?? {};
  for (const host of hosts.filter((text) => !HOST.test(text) && !ADDRESS.test(text))) {
    yield refuse(
      `spec.egress.hosts: '${host}' is no host: expected a name or an address without scheme, port and path, for example 'api.example.com', or '*.example.com' for all names below`,
    );
  }
  if (mode === 'None' && hosts.length > 0) yield warn('spec.egress.hosts has no effect while egress.mode is None');
}

/** A pattern that no model can match would silently forbid all. */
function isModel(pattern: string): Verdict {
  const [head = ''] = pattern.split('*');
  const exact = head === pattern;
  const possible = PROVIDERS.some(
    (provider) => head.startsWith(`${provider}/`) || (!exact && `${provider}/`.startsWith(head)),
  );
  if (possible) return ALLOWED;
  return refuse(
    `spec.models.allowed: '${pattern}' matches no model: expected provider/model, for example 'openai/gpt-4o' or 'anthropic/*'; providers are ${PROVIDERS.join(', ')}`,
  );
}

const REGISTRY = /^[a-zA-Z0-9][a-zA-Z0-9.-]*(:[0-9]{1,5})?(\/[a-z0-9]+([._-]+[a-z0-9]+)*)*\/?$/;

function isRegistry(entry: string): Verdict {
  if (REGISTRY.test(entry)) return ALLOWED;
  return refuse(
    `spec.images.registries: '${entry}' is not the beginning of an image's name: expected a registry with or without a path, without scheme, tag and '*', for example 'ghcr.io/acme'`,
  );
}

function* floorIsWhere(namespace: string | undefined, { systemNamespace }: PolicyFacts): Generator<Verdict> {
  if (namespace === systemNamespace) return;
  yield refuse(
    `spec.enforce is for policies in namespace '${systemNamespace}' only, got namespace '${namespace ?? 'default'}': leave it out, or have an administrator create the policy there`,
  );
}

function* selectorWorks({ namespaceSelector }: NonNullable<Spec['enforce']>): Generator<Verdict> {
  for (const { key, operator, values = [] } of namespaceSelector.matchExpressions ?? []) {
    const needed = operator === 'In' || operator === 'NotIn';
    if (needed === values.length > 0) continue;
    yield refuse(
      `spec.enforce.namespaceSelector: operator ${operator} for '${key}' takes ${needed ? 'values, got none: list at least one' : 'no values: leave them out'}`,
    );
  }
}
