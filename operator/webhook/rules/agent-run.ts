import { durationSeconds } from '../../../lib/api/duration.ts';
import type { AgentRun } from '../../../lib/api/v1alpha1/agent-run.ts';
import type { SympoziumInstance } from '../../../lib/api/v1alpha1/instance.ts';
import { decideTool } from '../../../lib/policy/decide.ts';
import { effectivePolicy, type EffectivePolicy, type Rules } from '../../../lib/policy/effective.ts';
import { violations } from '../../../lib/policy/violations.ts';
import { ALLOWED, join, refuse, warn, type Verdict } from '../review.ts';
import { historyFits } from './endpoint.ts';
import { contradiction, isTimeLimit, sandboxExists } from './common.ts';

/** What is known of the surroundings of a new run. */
export interface RunFacts {
  readonly instance: SympoziumInstance | undefined;
  /** `undefined` when there is no policy of the name that the instance says. */
  readonly rules: Rules | undefined;
  /** Sentence for a policy that isn't there. */
  readonly noPolicy: string;
  readonly runtimeClassExists: (name: string) => boolean;
}

/** Refuses a new run that could only fail. */
export function admitRun(run: AgentRun, { instance, rules, noPolicy, runtimeClassExists }: RunFacts): Verdict {
  const { instanceRef } = run.spec;
  const { namespace = 'default' } = run.metadata;
  if (instance === undefined) {
    return refuse(
      `spec.instanceRef: SympoziumInstance '${instanceRef}' is not in namespace '${namespace}': create it first, or correct the name`,
    );
  }
  if (rules === undefined) return refuse(`SympoziumInstance '${instanceRef}': ${noPolicy}`);
  const policy = effectivePolicy(rules, instance);
  return join([
    isTimeLimit('spec.timeout', run.spec.timeout),
    historyFits(run),
    ...violations(policy, instance).map((why) => refuse(`SympoziumInstance '${instanceRef}': ${why}`)),
    isCut(run, policy),
    sandboxExists(policy, runtimeClassExists),
    contradiction(run.spec.toolPolicy),
    narrows(run, policy),
  ]);
}

/** A run that wants more time than it can have is cut to what it can have, and told. */
function isCut({ spec }: AgentRun, { limits }: EffectivePolicy): Verdict {
  const most = limits.runTimeoutSeconds ?? Infinity;
  if (spec.timeout === undefined || durationSeconds(spec.timeout) <= most) return ALLOWED;
  return warn(
    `spec.timeout: '${spec.timeout}' is more than the limits of policy and instance allow: the run gets ${most} s`,
  );
}

/** A toolPolicy that names what it can't give misleads whoever reads it. */
function narrows(run: AgentRun, policy: EffectivePolicy): Verdict {
  const { allow = [] } = run.spec.toolPolicy ?? {};
  return join(
    allow.map((tool) => {
      const decision = decideTool(policy, tool);
      if (decision.effect === 'allow') return ALLOWED;
      if (decision.effect === 'approve') return warn(`tool '${tool}': ${decision.because}`);
      return refuse(
        `spec.toolPolicy.allow lists '${tool}', but ${decision.because}: a run can only narrow what its policy allows; remove the tool, or have the policy changed`,
      );
    }),
  );
}
