import { ANNOTATIONS, LABELS, runChildName } from '../../../../lib/api/group.ts';
import type { ObjectMeta } from '../../../../lib/api/metadata.ts';
import type { AgentRun } from '../../../../lib/api/v1alpha1/agent-run.ts';
import type { PolicyRule, Role, RoleBinding } from '../../../kube/resources.ts';
import type { Skill } from './skill.ts';

/** The Roles and bindings of a run, by kind. */
export interface Rights {
  readonly roles: readonly Role[];
  readonly roleBindings: readonly RoleBinding[];
  readonly clusterRoles: readonly Role[];
  readonly clusterRoleBindings: readonly RoleBinding[];
}

const RBAC = 'rbac.authorization.k8s.io';

/** What the skills of a run may do at the API server, for the run's own ServiceAccount and no other. Pure. */
export function rightsOf(run: AgentRun, skills: readonly Skill[]): Rights {
  const { namespace: home = 'default' } = run.metadata;
  const inNamespaces = new Map<string, PolicyRule[]>();
  for (const { spec, namespaces } of skills) {
    for (const namespace of namespaces) {
      const rules = [...(inNamespaces.get(namespace) ?? []), ...(spec.rbac ?? [])];
      if (rules.length > 0) inNamespaces.set(namespace, rules);
    }
  }
  const places = [...inNamespaces].map(([namespace, rules]) => ({
    metadata: namespace === home ? own(run, home) : elsewhere(run, `run-${home}.${run.metadata.name}`, namespace),
    rules,
  }));
  const everywhere = skills.flatMap(({ spec, system }) => (system ? (spec.clusterRBAC ?? []) : []));
  const cluster = elsewhere(run, `sympozium-run-${home}.${run.metadata.name}`);
  const whole = everywhere.length === 0 ? [] : [{ metadata: cluster, rules: everywhere }];
  return {
    roles: places.map((role) => ({ ...of('Role'), ...role })),
    roleBindings: places.map(({ metadata }) => ({
      ...of('RoleBinding'),
      metadata,
      ...bound(run, 'Role', metadata.name),
    })),
    clusterRoles: whole.map((role) => ({ ...of('ClusterRole'), ...role })),
    clusterRoleBindings: whole.map(({ metadata }) => ({
      ...of('ClusterRoleBinding'),
      metadata,
      ...bound(run, 'ClusterRole', metadata.name),
    })),
  };
}

/** An object of the run in its own namespace. Kubernetes deletes it with the run, should nobody else. */
export function own(run: AgentRun, namespace: string): ObjectMeta {
  const { name, uid = '' } = run.metadata;
  const owner = { apiVersion: run.apiVersion, kind: run.kind, name, uid, controller: true, blockOwnerDeletion: true };
  return { ...elsewhere(run, runChildName(name), namespace), ownerReferences: [owner] };
}

/** An object of the run that no owner reference can reach: its labels and annotation say whose it is. */
function elsewhere(run: AgentRun, name: string, namespace?: string): ObjectMeta {
  const { name: runName, namespace: home = 'default', uid = '' } = run.metadata;
  return {
    name,
    ...(namespace === undefined ? {} : { namespace }),
    labels: {
      [LABELS.component]: 'run',
      [LABELS.run]: runName,
      [LABELS.runNamespace]: home,
      [LABELS.instance]: run.spec.instanceRef,
    },
    annotations: { [ANNOTATIONS.runUid]: uid },
  };
}

const of = (kind: string) => ({ apiVersion: `${RBAC}/v1`, kind });

const bound = ({ metadata }: AgentRun, kind: string, name: string): Pick<RoleBinding, 'roleRef' | 'subjects'> => ({
  roleRef: { apiGroup: RBAC, kind, name },
  subjects: [{ kind: 'ServiceAccount', name: runChildName(metadata.name), namespace: metadata.namespace ?? 'default' }],
});
