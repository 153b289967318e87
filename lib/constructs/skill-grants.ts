import { k8s } from 'cdk8s-plus-28';
import { Construct } from 'constructs';
import { AGGREGATE_TO_SKILL_GRANTS, SKILL_GRANTS } from '../api/group.ts';
import { builtinSkillPacks } from '../skills/index.ts';
import { componentLabels } from './labels.ts';
import { NAMES } from './names.ts';

/** What {@link SkillGrants} need to know. */
export interface SkillGrantsProps {
  /** Namespace of the control plane. */
  readonly namespace: string;
}

/**
 * All that skills may be given at the API server. It is a sum: whoever administers the cluster adds a ClusterRole with the
 * label `sympozium.ai/aggregate-to-skill-grants: "true"`. The controller holds it, because nobody can give what they don't
 * have; it gives each run only what the skills of that run ask for.
 */
export class SkillGrants extends Construct {
  constructor(scope: Construct, id: string, { namespace }: SkillGrantsProps) {
    super(scope, id);
    const labels = componentLabels('controller');
    // No rules: the cluster fills them in.
    new k8s.KubeClusterRole(this, 'sum', {
      metadata: { name: SKILL_GRANTS, labels },
      aggregationRule: { clusterRoleSelectors: [{ matchLabels: { [AGGREGATE_TO_SKILL_GRANTS]: 'true' } }] },
    });
    new k8s.KubeClusterRoleBinding(this, 'held', {
      metadata: { name: SKILL_GRANTS, labels },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: SKILL_GRANTS },
      subjects: [{ kind: 'ServiceAccount', name: NAMES.controller, namespace }],
    });
    new k8s.KubeClusterRole(this, 'built-in', {
      metadata: { name: `${SKILL_GRANTS}-builtin`, labels: { ...labels, [AGGREGATE_TO_SKILL_GRANTS]: 'true' } },
      rules: builtinRules(),
    });
  }
}

/** What the built-in skills ask for, each right once, and nothing else. */
export function builtinRules(): k8s.PolicyRule[] {
  const packs = builtinSkillPacks({ runtime: '', kubectl: '', git: '' });
  const asked = packs.flatMap(({ spec: { rbac = [], clusterRBAC = [] } }) => [...rbac, ...clusterRBAC]);
  /** Verbs of each resource. */
  const verbs = new Map<string, Set<string>>();
  for (const rule of asked) {
    for (const key of rule.apiGroups.flatMap((group) => rule.resources.map((resource) => `${group}|${resource}`))) {
      verbs.set(key, new Set([...(verbs.get(key) ?? []), ...rule.verbs]));
    }
  }
  const rules = new Map<string, { apiGroups: string[]; resources: string[]; verbs: string[] }>();
  for (const [key, its] of [...verbs].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const [group = '', resource = ''] = key.split('|');
    const sorted = [...its].sort();
    const id = `${group}|${sorted.join()}`;
    const rule = rules.get(id) ?? { apiGroups: [group], resources: [], verbs: sorted };
    rule.resources.push(resource);
    rules.set(id, rule);
  }
  return [...rules.values()];
}
