import { SKILL_GRANTS } from '../../../lib/api/group.ts';
import type { SkillPack } from '../../../lib/api/v1alpha1/skill-pack.ts';
import { packProblems } from '../../../lib/policy/skill-pack.ts';
import type { PolicyRule } from '../../kube/resources.ts';
import { ungranted } from '../agent-run/skills/grants.ts';
import type { Observation } from '../conditions.ts';

/** Reason of a pack that asks for more than skills may be given. */
export const RIGHTS_NOT_GRANTED = 'RightsNotGranted';

/** What is known about a pack. Pure data. */
export interface PackFacts {
  readonly systemNamespace: string;
  /** What skills may be granted in this cluster. */
  readonly grants: readonly PolicyRule[];
  /** Whether the system namespace has a pack of the same name. */
  readonly shadowed: boolean;
}

/** The `Ready` condition of a SkillPack. */
export function readyCondition(pack: SkillPack, { systemNamespace, grants, shadowed }: PackFacts): Observation {
  const not = (reason: string, message: string): Observation => ({ type: 'Ready', status: 'False', reason, message });
  if (shadowed) {
    const message = `namespace '${systemNamespace}' has a SkillPack of this name, which instances get instead of this one: rename it`;
    return not('Shadowed', message);
  }
  const problems = packProblems(pack, systemNamespace);
  if (problems.length > 0) return not('Invalid', problems.join('; ').slice(0, 4096));
  const { rbac = [], clusterRBAC = [] } = pack.spec;
  const missing = ungranted([...rbac, ...clusterRBAC], grants);
  if (missing.length > 0) {
    const message = `ClusterRole '${SKILL_GRANTS}' does not let skills ${missing.join(', ')}: take it out of the pack, or have the administrator add it there`;
    return not(RIGHTS_NOT_GRANTED, message.slice(0, 4096));
  }
  return { type: 'Ready', status: 'True', reason: 'Accepted', message: 'agents can have this skill' };
}
