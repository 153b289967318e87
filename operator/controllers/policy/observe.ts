import type { SympoziumPolicy } from '../../../lib/api/v1alpha1/policy.ts';
import { withoutEffect, type Observation } from '../conditions.ts';

/** What is known about a policy. Pure data. */
export interface PolicyFacts {
  readonly boundInstances: number;
  readonly runtimeClassExists: (name: string) => boolean;
}

/** What there is to say of a policy. */
export const observe = (
  policy: SympoziumPolicy,
  { boundInstances, runtimeClassExists }: PolicyFacts,
): Observation[] => [ready(policy, runtimeClassExists), bound(boundInstances), ...withoutEffect(policy)];

function ready({ spec }: SympoziumPolicy, runtimeClassExists: PolicyFacts['runtimeClassExists']): Observation {
  const type = 'Ready';
  const { enabled = false, runtimeClass } = spec.sandbox ?? {};
  if (!enabled || runtimeClass === undefined || runtimeClassExists(runtimeClass)) {
    return { type, status: 'True', reason: 'Accepted', message: 'in force' };
  }
  const message = `RuntimeClass '${runtimeClass}' is not in this cluster, so runs under this policy are refused: install it on the nodes, or change the policy's sandbox`;
  return { type, status: 'False', reason: 'RuntimeClassNotFound', message };
}

function bound(count: number): Observation {
  const type = 'Bound';
  if (count === 0) {
    return { type, status: 'False', reason: 'NoInstances', message: 'no instance is governed by this policy' };
  }
  const message = `governs ${count} instance${count === 1 ? '' : 's'}, as their own policy or as a floor`;
  return { type, status: 'True', reason: 'InUse', message };
}
