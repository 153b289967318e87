import { k8s } from 'cdk8s-plus-28';
import { Construct } from 'constructs';
import { GROUP } from '../api/group.ts';
import { KINDS } from '../api/v1alpha1/index.ts';

/** Says what others may do: who may change them decides for all agents of a namespace. */
const RULES = 'SympoziumPolicy';
/** Decided by whoever may change it; the platform creates and deletes it. */
const DECISIONS = 'ToolApproval';

const READ = ['get', 'list', 'watch'];
const DECIDE = ['update', 'patch'];
const WRITE = ['create', 'update', 'patch', 'delete', 'deletecollection'];

/**
 * What people may do with our kinds: adds to the roles `view`, `edit` and `admin` that every cluster has, so that
 * whoever is bound to one of them in a namespace has the same there.
 */
export class People extends Construct {
  constructor(scope: Construct, id: string) {
    super(scope, id);
    const plurals = (concerned: (kind: string) => boolean) =>
      KINDS.filter(({ kind }) => concerned(kind)).map(({ plural }) => plural);
    const role = (name: 'view' | 'edit' | 'admin', ...rights: (readonly [resources: string[], verbs: string[]])[]) =>
      new k8s.KubeClusterRole(this, name, {
        metadata: {
          name: `sympozium-${name}`,
          labels: {
            'app.kubernetes.io/name': 'sympozium',
            [`rbac.authorization.k8s.io/aggregate-to-${name}`]: 'true',
          },
        },
        rules: rights.map(([resources, verbs]) => ({ apiGroups: [GROUP], resources, verbs })),
      });

    const only = (kind: string) => plurals((known) => known === kind);
    role('view', [plurals(() => true), READ]);
    role('edit', [plurals((kind) => kind !== RULES && kind !== DECISIONS), WRITE]);
    role('admin', [only(RULES), WRITE], [only(DECISIONS), DECIDE]);
  }
}
