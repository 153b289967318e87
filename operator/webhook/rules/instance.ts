import { DEFAULT_POLICY } from '../../../lib/api/group.ts';
import type { SympoziumInstance } from '../../../lib/api/v1alpha1/instance.ts';
import { ALLOWED, join, refuse, warn, type Verdict } from '../review.ts';
import { isTimeLimit } from './common.ts';

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
  // The platform makes this one by itself, at the latest when its controller runs.
  return (policy ?? DEFAULT_POLICY) === DEFAULT_POLICY ? warn(noPolicy) : refuse(`spec.policy: ${noPolicy}`);
}
