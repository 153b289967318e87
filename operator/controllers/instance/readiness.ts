import { findCondition } from '../../../lib/api/conditions.ts';
import type { SympoziumInstance } from '../../../lib/api/v1alpha1/instance.ts';
import type { Observation } from '../conditions.ts';
import type { Readiness } from '../gateway-client.ts';

/** What is known about an instance. Pure data. */
export interface InstanceFacts {
  /** Sentence for a policy that isn't there; `undefined` when it is. */
  readonly policyMissing: string | undefined;
  /** What the instance is that its policies forbid, a sentence each. */
  readonly forbidden: readonly string[];
  /** What the gateway says, or why it couldn't be asked. */
  readonly provider: Readiness | { readonly unknown: string };
}

/** The `Ready` condition of an instance. */
export function readyCondition({ policyMissing, forbidden, provider }: InstanceFacts): Observation {
  const type = 'Ready';
  if (policyMissing !== undefined) return { type, status: 'False', reason: 'PolicyNotFound', message: policyMissing };
  if (forbidden.length > 0) return { type, status: 'False', reason: 'PolicyViolation', message: forbidden.join('; ') };
  if ('unknown' in provider)
    return { type, status: 'Unknown', reason: 'GatewayUnreachable', message: provider.unknown };
  if (!provider.ready) return { type, status: 'False', reason: provider.reason, message: provider.message };
  return { type, status: 'True', reason: 'Accepted', message: 'policy and credentials are in place' };
}

/** Whether the condition says something else than before, so that people should hear of it. */
export function changed({ status }: SympoziumInstance, { type, reason, status: now }: Observation): boolean {
  const before = findCondition(status?.conditions, type);
  return before?.status !== now || before.reason !== reason;
}
