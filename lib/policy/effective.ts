import type { AgentRun } from '../api/v1alpha1/agent-run.ts';
import type { SympoziumInstance } from '../api/v1alpha1/instance.ts';
import type { SympoziumPolicy } from '../api/v1alpha1/policy.ts';

/** One voice in the decision about a tool. Every layer can only narrow what the others allow. */
export interface ToolLayer {
  /** Whose rule it is, for messages: `policy 'default'` or `toolPolicy of the run`. */
  readonly source: string;
  /** Only these tools; left out, all. */
  readonly allow?: readonly string[];
  readonly deny: readonly string[];
  readonly approve: readonly string[];
}

/** The rules that govern a run, resolved: plain data, so that it can be sent and compared. */
export interface EffectivePolicy {
  readonly name: string;
  readonly layers: readonly ToolLayer[];
  /** RuntimeClass the Pod must run under. */
  readonly runtimeClass?: string;
}

/** What becomes of a call to a tool. `because` names the rule and how to change it. */
export type ToolDecision =
  | { readonly effect: 'allow' }
  | { readonly effect: 'approve'; readonly because: string }
  | { readonly effect: 'deny'; readonly because: string };

/** Resolves the rules for a run: the policy, narrowed by the instance's and the run's own `toolPolicy`. */
export function effectivePolicy(policy: SympoziumPolicy, instance: SympoziumInstance, run?: AgentRun): EffectivePolicy {
  const { sandbox } = policy.spec;
  return {
    name: policy.metadata.name,
    layers: [
      policyLayer(policy),
      ...ownLayer(`toolPolicy of SympoziumInstance '${instance.metadata.name}'`, instance.spec.toolPolicy),
      ...(run === undefined ? [] : ownLayer(`toolPolicy of AgentRun '${run.metadata.name}'`, run.spec.toolPolicy)),
    ],
    ...(sandbox?.enabled === true && sandbox.runtimeClass !== undefined ? { runtimeClass: sandbox.runtimeClass } : {}),
  };
}

/** Decides a call to `tool`: the strictest layer wins. Adding a layer never widens the result. */
export function decideTool({ layers }: Pick<EffectivePolicy, 'layers'>, tool: string): ToolDecision {
  for (const { source, allow, deny } of layers) {
    if (deny.includes(tool)) return { effect: 'deny', because: `${source} denies it` };
    if (allow?.includes(tool) === false) return { effect: 'deny', because: `${source} does not list it as allowed` };
  }
  const asking = layers.find(({ approve }) => approve.includes(tool));
  return asking === undefined
    ? { effect: 'allow' }
    : { effect: 'approve', because: `${asking.source} asks for a person's approval` };
}

function policyLayer({ metadata, spec }: SympoziumPolicy): ToolLayer {
  const allow = spec.allowedTools ?? (spec.template === 'Restrictive' ? [] : undefined);
  return {
    source: `policy '${metadata.name}'`,
    ...(allow === undefined ? {} : { allow }),
    deny: spec.deniedTools ?? [],
    approve: [...(spec.template === 'Default' ? ['execute_command'] : []), ...(spec.requireApproval ?? [])],
  };
}

function ownLayer(
  source: string,
  own: { allow?: readonly string[]; deny?: readonly string[] } | undefined,
): ToolLayer[] {
  if (own === undefined) return [];
  return [{ source, ...(own.allow === undefined ? {} : { allow: own.allow }), deny: own.deny ?? [], approve: [] }];
}
