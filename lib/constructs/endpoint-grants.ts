import { k8s } from 'cdk8s-plus-28';
import { Construct } from 'constructs';
import { GROUP } from '../api/group.ts';
import { componentLabels } from './labels.ts';
import { NAMES } from './names.ts';

/** What {@link EndpointGrants} need to know. */
export interface EndpointGrantsProps {
  /** Namespace of the control plane. */
  readonly namespace: string;
}

/**
 * What the controller gives to web endpoints: nobody can give what they don't have. Apart from what skills may be given, so
 * that no skill gets it.
 */
export class EndpointGrants extends Construct {
  constructor(scope: Construct, id: string, { namespace }: EndpointGrantsProps) {
    super(scope, id);
    const metadata = { name: NAMES.endpointGrants, labels: componentLabels('controller') };
    new k8s.KubeClusterRole(this, 'role', {
      metadata,
      // To get, list and watch them is among the controller's own rights.
      rules: [{ apiGroups: [GROUP], resources: ['agentruns'], verbs: ['create', 'patch'] }],
    });
    new k8s.KubeClusterRoleBinding(this, 'binding', {
      metadata,
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: NAMES.endpointGrants },
      subjects: [{ kind: 'ServiceAccount', name: NAMES.controller, namespace }],
    });
  }
}
