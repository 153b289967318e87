import type { SkillPack } from '../../../../lib/api/v1alpha1/skill-pack.ts';

/** A skill of a run: a SkillPack, with what the instance configured. */
export interface Skill {
  readonly name: string;
  readonly spec: SkillPack['spec'];
  /** Namespaces that it may work in. */
  readonly namespaces: readonly string[];
  /** Whether the pack is the administrator's: of the system namespace. */
  readonly system: boolean;
}

/** Whether the sidecar of a skill may do anything at the API server. */
export const hasRights = ({ spec }: Pick<Skill, 'spec'>): boolean =>
  (spec.rbac ?? []).length > 0 || (spec.clusterRBAC ?? []).length > 0;
