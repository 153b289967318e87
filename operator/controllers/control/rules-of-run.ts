import type { AgentRun } from '../../../lib/api/v1alpha1/agent-run.ts';
import { effectivePolicy, type EffectivePolicy } from '../../../lib/policy/effective.ts';
import type { Lookup } from '../../kube/lookup.ts';

/** The rules that govern a run now; `undefined` when its instance or its policy is gone. */
export async function rulesOfRun(lookup: Lookup, run: AgentRun): Promise<EffectivePolicy | undefined> {
  const { namespace = 'default' } = run.metadata;
  const instance = await lookup.instance(namespace, run.spec.instanceRef);
  if (instance === undefined) return undefined;
  const rules = await lookup.rules(namespace, instance.spec.policy);
  return rules === undefined ? undefined : effectivePolicy(rules, instance, run);
}
