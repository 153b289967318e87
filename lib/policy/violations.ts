import type { SympoziumInstance } from '../api/v1alpha1/instance.ts';
import { durationSeconds } from '../api/duration.ts';
import { decideImage, decideModel, decideSkill, sandboxOf, type Verdict } from './decide.ts';
import { voicesOf, type EffectivePolicy, type Rules } from './effective.ts';

/** What an instance is that its rules forbid: a sentence each, with the field, the rule and the way out. */
export function violations(policy: EffectivePolicy, { spec }: SympoziumInstance): string[] {
  const { provider, skills = [], agent } = spec;
  const model = `${provider.name}/${provider.model}`;
  const sandbox = sandboxOf(policy);
  return [
    ...('conflict' in sandbox ? [sandbox.conflict] : []),
    ...sentence('spec.provider', `model '${model}'`, decideModel(policy, model)),
    ...skills.flatMap((skill) => sentence('spec.skills', `SkillPack '${skill}'`, decideSkill(policy, skill))),
    ...(agent === undefined
      ? []
      : sentence('spec.agent.image', `image '${agent.image}'`, decideImage(policy, agent.image))),
  ];
}

const sentence = (field: string, what: string, verdict: Verdict): string[] =>
  verdict.allowed
    ? []
    : [`${field}: ${what} is not allowed, because ${verdict.because}: use one that is, or have the policy changed`];

/** Limits of an instance that are wider than its policies': a sentence each. The policies' hold all the same. */
export function excesses(rules: Rules, { spec }: SympoziumInstance): string[] {
  const { runTimeout, concurrentRuns } = spec.limits ?? {};
  return voicesOf(rules).flatMap(({ source, spec: { limits } }) => [
    ...(runTimeout !== undefined &&
    limits?.runTimeout !== undefined &&
    durationSeconds(runTimeout) > durationSeconds(limits.runTimeout)
      ? [excess('runTimeout', runTimeout, source, limits.runTimeout)]
      : []),
    ...(concurrentRuns !== undefined && limits?.concurrentRuns !== undefined && concurrentRuns > limits.concurrentRuns
      ? [excess('concurrentRuns', concurrentRuns, source, limits.concurrentRuns)]
      : []),
  ]);
}

const excess = (limit: string, got: string | number, source: string, most: string | number): string =>
  `spec.limits.${limit}: got ${got}, but ${source} allows at most ${most}: lower it, or have the policy changed`;
