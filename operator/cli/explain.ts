import type { SympoziumInstance } from '../../lib/api/v1alpha1/instance.ts';
import {
  decideHost, decideImage, decideModel, decideSkill, decideTool, sandboxOf, type Verdict,
} from '../../lib/policy/decide.ts'; // prettier-ignore
import { effectivePolicy, type EffectivePolicy, type Rules } from '../../lib/policy/effective.ts';
import { violations } from '../../lib/policy/violations.ts';

/** What becomes of one thing, and whose rule it is. */
export interface Finding {
  readonly name: string;
  readonly effect: 'allow' | 'approve' | 'deny';
  /** The rule that decides; missing where nobody objects. */
  readonly because?: string;
}

/** What holds for an instance, and why. */
export interface Explanation {
  readonly instance: { readonly namespace: string; readonly name: string };
  readonly policy: { readonly namespace: string; readonly name: string };
  readonly floors: readonly string[];
  readonly tools: readonly Finding[];
  readonly model: Finding;
  readonly skills: readonly Finding[];
  /** The agent's image; missing where it is the platform's own. */
  readonly image?: Finding;
  readonly hosts: readonly Finding[];
  readonly sandbox: { readonly runtimeClass?: string; readonly problem?: string };
  readonly approval: EffectivePolicy['approval'];
  readonly limits: EffectivePolicy['limits'];
  /** Why no run can be started; empty where one can. */
  readonly violations: readonly string[];
}

/** What is asked about, beside what the rules themselves name. */
export interface Question {
  readonly rules: Rules;
  readonly instance: SympoziumInstance;
  /** Names of the tools that the instance has. */
  readonly tools: readonly string[];
  /** Whether the RuntimeClass is there; `undefined` where nobody may look. */
  readonly runtimeClassExists: (name: string) => boolean | undefined;
}

/** Explains the rules of an instance, by the functions that decide for its runs. */
export function explain({ rules, instance, tools, runtimeClassExists }: Question): Explanation {
  const policy = effectivePolicy(rules, instance);
  const { metadata, spec } = instance;
  const model = `${spec.provider.name}/${spec.provider.model}`;
  const named = policy.layers.flatMap(({ allow = [], deny, approve }) => [...allow, ...deny, ...approve]);
  return {
    instance: { namespace: metadata.namespace ?? 'default', name: metadata.name },
    policy: { namespace: rules.own.metadata.namespace ?? 'default', name: rules.own.metadata.name },
    floors: policy.floors,
    tools: unique([...tools, ...named]).map((name) => ({ name, ...decideTool(policy, name) })),
    model: finding(model, decideModel(policy, model)),
    skills: (spec.skills ?? []).map((name) => finding(name, decideSkill(policy, name))),
    ...(spec.agent === undefined ? {} : { image: finding(spec.agent.image, decideImage(policy, spec.agent.image)) }),
    hosts: hosts(policy),
    sandbox: sandbox(policy, runtimeClassExists),
    approval: policy.approval,
    limits: policy.limits,
    violations: violations(policy, instance),
  };
}

const unique = (names: readonly string[]): string[] => [...new Set(names)];

const finding = (name: string, verdict: Verdict): Finding =>
  verdict.allowed ? { name, effect: 'allow' } : { name, effect: 'deny', because: verdict.because };

/** The hosts that the rules name, and what becomes of all others. */
function hosts(policy: EffectivePolicy): Finding[] {
  const named = unique(policy.egress.flatMap(({ hosts: its = [] }) => its));
  const other = (name: string, inCluster: boolean) => {
    const { because, ...rest } = finding(name, decideHost(policy, OTHER, { inCluster }));
    return because === undefined ? rest : { ...rest, because: because.replace(`'${OTHER}'`, 'them') };
  };
  return [
    ...named.map((host) => finding(host, decideHost(policy, host, { inCluster: false }))),
    other(named.length === 0 ? 'the internet' : 'other hosts', false),
    other('inside the cluster', true),
  ];
}

/** No host that anyone can list. */
const OTHER = '…';

function sandbox(policy: EffectivePolicy, exists: Question['runtimeClassExists']): Explanation['sandbox'] {
  const found = sandboxOf(policy);
  if ('conflict' in found) return { problem: found.conflict };
  if (found.runtimeClass === undefined || exists(found.runtimeClass) !== false) return found;
  return { ...found, problem: `RuntimeClass '${found.runtimeClass}' is not in this cluster: no run can be started` };
}
