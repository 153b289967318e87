import { k8s } from 'cdk8s-plus-28';
import { Construct } from 'constructs';
import { GROUP } from '../api/group.ts';
import { KINDS } from '../api/v1alpha1/index.ts';

/** Kinds that say what others may do: who may change them decides for all agents of a namespace. */
const RULES: readonly string[] = ['SympoziumPolicy', 'ToolApproval'];

const READ = ['get', 'list', 'watch'];
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
    const role = (name: 'view' | 'edit' | 'admin', resources: string[], verbs: string[]) =>
      new k8s.KubeClusterRole(this, name, {
        metadata: {
          name: `sympozium-${name}`,
          labels: {
            'app.kubernetes.io/name': 'sympozium',
            [`rbac.authorization.k8s.io/aggregate-to-${name}`]: 'true',
          },
        },
        rules: [{ apiGroups: [GROUP], resources, verbs }],
      });

    role(
      'view',
      plurals(() => true),
      READ,
    );
    role('edit', plurals((kind) => !RULES.includes(kind)), WRITE); // prettier-ignore
    role('admin', plurals((kind) => RULES.includes(kind)), WRITE); // prettier-ignore
  }
}
