import type { AgentRun } from '../../../lib/api/v1alpha1/agent-run.ts';
import type { SympoziumInstance } from '../../../lib/api/v1alpha1/instance.ts';
import type { SympoziumPolicy } from '../../../lib/api/v1alpha1/policy.ts';
import { decideTool, effectivePolicy } from '../../../lib/policy/effective.ts';
import { ALLOWED, join, refuse, warn, type Verdict } from '../review.ts';
import { isTimeLimit } from './common.ts';

/** What is known of the surroundings of a new run. */
export interface RunFacts {
  readonly instance: SympoziumInstance | undefined;
  readonly policy: SympoziumPolicy | undefined;
  /** Sentence for a policy that isn't there. */
  readonly noPolicy: string;
  readonly runtimeClassExists: (name: string) => boolean;
}

/** Refuses a new run that could only fail. */
export function admitRun(run: AgentRun, { instance, policy, noPolicy, runtimeClassExists }: RunFacts): Verdict {
  const { instanceRef } = run.spec;
  const { namespace = 'default' } = run.metadata;
  if (instance === undefined) {
    return refuse(
      `spec.instanceRef: SympoziumInstance '${instanceRef}' is not in namespace '${namespace}': create it first, or correct the name`,
    );
  }
  if (policy === undefined) return refuse(`SympoziumInstance '${instanceRef}': ${noPolicy}`);
  return join([
    isTimeLimit('spec.timeout', run.spec.timeout),
    sandboxExists(policy, runtimeClassExists),
    narrows(run, instance, policy),
  ]);
}

function sandboxExists(
  { metadata, spec }: SympoziumPolicy,
  runtimeClassExists: RunFacts['runtimeClassExists'],
): Verdict {
  const { enabled = false, runtimeClass } = spec.sandbox ?? {};
  if (!enabled || runtimeClass === undefined || runtimeClassExists(runtimeClass)) return ALLOWED;
  return refuse(
    `policy '${metadata.name}' needs RuntimeClass '${runtimeClass}', which is not in this cluster: install it on the nodes, or choose a policy with another sandbox`,
  );
}

/** A toolPolicy that names what it can't give misleads whoever reads it. */
function narrows(run: AgentRun, instance: SympoziumInstance, policy: SympoziumPolicy): Verdict {
  const { allow = [], deny = [] } = run.spec.toolPolicy ?? {};
  const rules = effectivePolicy(policy, instance);
  return join(
    allow.map((tool) => {
      if (deny.includes(tool)) {
        return refuse(`spec.toolPolicy both allows and denies '${tool}': remove it from one of the two lists`);
      }
      const decision = decideTool(rules, tool);
      if (decision.effect === 'allow') return ALLOWED;
      if (decision.effect === 'approve') return warn(`tool '${tool}': ${decision.because}`);
      return refuse(
        `spec.toolPolicy.allow lists '${tool}', but ${decision.because}: a run can only narrow what its policy allows; remove the tool, or have the policy changed`,
      );
    }),
  );
}
