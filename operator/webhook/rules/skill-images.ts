import type { SympoziumInstance } from '../../../lib/api/v1alpha1/instance.ts';
import type { SkillPack } from '../../../lib/api/v1alpha1/skill-pack.ts';
import { decideImage } from '../../../lib/policy/decide.ts';
import { effectivePolicy, type Rules } from '../../../lib/policy/effective.ts';
import { ALLOWED, join, refuse, type Verdict } from '../review.ts';

/**
 * Refuses skills whose images the policies forbid. Images of the administrator's packs are looked at when a run starts:
 * there it is known which of them are the platform's own.
 */
export function admitSkillImages(
  instance: SympoziumInstance,
  rules: Rules | undefined,
  packs: readonly SkillPack[],
  systemNamespace: string,
): Verdict {
  if (rules === undefined) return ALLOWED;
  const policy = effectivePolicy(rules, instance);
  return join(
    packs.map(({ metadata, spec }) => {
      const image = spec.sidecar?.image;
      if (image === undefined || metadata.namespace === systemNamespace) return ALLOWED;
      const verdict = decideImage(policy, image);
      if (verdict.allowed) return ALLOWED;
      return refuse(
        `spec.skills: image '${image}' of SkillPack '${metadata.name}' is not allowed, because ${verdict.because}: use one that is, or have the policy changed`,
      );
    }),
  );
}
