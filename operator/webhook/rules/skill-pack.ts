import type { SkillPack } from '../../../lib/api/v1alpha1/skill-pack.ts';
import { packProblems } from '../../../lib/policy/skill-pack.ts';
import { join, refuse, warn, type Verdict } from '../review.ts';

/** What is known of the surroundings of a SkillPack. */
export interface PackFacts {
  readonly systemNamespace: string;
  /** Whether the system namespace has another pack of this name. */
  readonly shadowed: boolean;
}

/** Refuses a pack that could not work, or that takes what is the administrator's to give. */
export const admitSkillPack = (pack: SkillPack, { systemNamespace, shadowed }: PackFacts): Verdict =>
  join([
    ...packProblems(pack, systemNamespace).map(refuse),
    ...(shadowed
      ? [warn(`namespace '${systemNamespace}' has a SkillPack of this name, which instances get instead of this one`)]
      : []),
  ]);
