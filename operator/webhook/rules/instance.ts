import { DEFAULT_POLICY } from '../../../lib/api/group.ts';
import type { SympoziumInstance } from '../../../lib/api/v1alpha1/instance.ts';
import { BUILTIN_POLICIES } from '../../../lib/policy/builtin.ts';
import { ALLOWED, join, refuse, warn, type Verdict } from '../review.ts';
import { isTimeLimit } from './common.ts';

const BUILTIN = new Set(BUILTIN_POLICIES.map(({ metadata }) => metadata.name));

/** What is known of the surroundings of an instance. */
export interface InstanceFacts {
  readonly policyExists: boolean;
  /** Sentence for a policy that isn't there. */
  readonly noPolicy: string;
}

/** Refuses an instance whose runs could only fail. */
export const admitInstance = ({ spec }: SympoziumInstance, facts: InstanceFacts): Verdict =>
  join([isTimeLimit('spec.limits.runTimeout', spec.limits?.runTimeout), policyIsThere(spec.policy, facts)]);

function policyIsThere(policy: string | undefined, { policyExists, noPolicy }: InstanceFacts): Verdict {
  if (policyExists) return ALLOWED;
  // The platform makes these by itself, a moment after its controller has started.
  return BUILTIN.has(policy ?? DEFAULT_POLICY) ? warn(noPolicy) : refuse(`spec.policy: ${noPolicy}`);
}
