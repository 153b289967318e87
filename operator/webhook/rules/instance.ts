import { DEFAULT_POLICY } from '../../../lib/api/group.ts';
import type { SympoziumInstance } from '../../../lib/api/v1alpha1/instance.ts';
import { BUILTIN_POLICIES } from '../../../lib/policy/builtin.ts';
import { effectivePolicy, type EffectivePolicy, type Rules } from '../../../lib/policy/effective.ts';
import { decideTool } from '../../../lib/policy/decide.ts';
import { excesses, violations } from '../../../lib/policy/violations.ts';
import { join, refuse, warn, type Verdict } from '../review.ts';
import { contradiction, isTimeLimit, sandboxExists } from './common.ts';

const BUILTIN = new Set(BUILTIN_POLICIES.map(({ metadata }) => metadata.name));

/** What is known of the surroundings of an instance. */
export interface InstanceFacts {
  /** `undefined` when there is no policy of the name that the instance says. */
  readonly rules: Rules | undefined;
  /** Sentence for a policy that isn't there. */
  readonly noPolicy: string;
  readonly runtimeClassExists: (name: string) => boolean;
}

/** Refuses an instance whose runs could only fail, or that wants more than its policy gives. */
export function admitInstance(instance: SympoziumInstance, { rules, ...facts }: InstanceFacts): Verdict {
  const { limits, toolPolicy, policy } = instance.spec;
  return join([
    isTimeLimit('spec.limits.runTimeout', limits?.runTimeout),
    contradiction(toolPolicy),
    ...(rules === undefined ? [policyMissing(policy, facts.noPolicy)] : obeys(instance, rules, facts)),
  ]);
}

function policyMissing(policy: string | undefined, noPolicy: string): Verdict {
  // The platform makes these by itself, a moment after its controller has started.
  return BUILTIN.has(policy ?? DEFAULT_POLICY) ? warn(noPolicy) : refuse(`spec.policy: ${noPolicy}`);
}

function obeys(
  instance: SympoziumInstance,
  rules: Rules,
  { runtimeClassExists }: Pick<InstanceFacts, 'runtimeClassExists'>,
): Verdict[] {
  const policy = effectivePolicy(rules, { ...instance, spec: { ...instance.spec, toolPolicy: undefined } });
  return [
    ...violations(policy, instance).map(refuse),
    ...excesses(rules, instance).map(refuse),
    sandboxExists(policy, runtimeClassExists),
    ...neverGiven(instance, policy),
  ];
}

/** Tools that the instance lists and its policy denies: it works without them, but whoever reads it is misled. */
const neverGiven = ({ spec }: SympoziumInstance, policy: EffectivePolicy): Verdict[] =>
  (spec.toolPolicy?.allow ?? []).flatMap((tool) => {
    const decision = decideTool(policy, tool);
    return decision.effect === 'deny'
      ? [warn(`spec.toolPolicy.allow lists '${tool}', which stays denied: ${decision.because}`)]
      : [];
  });
