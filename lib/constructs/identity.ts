import { k8s } from 'cdk8s-plus-28';
import { Construct } from 'constructs';
import { componentLabels, type Component } from './labels.ts';

/** Who a component is for the API server, and what it may do there. */
export interface IdentityProps {
  /** The component; its ServiceAccount is `sympozium-<component>`. */
  readonly component: Component;

  /** Namespace of the control plane. */
  readonly namespace: string;

  /**
   * What it may do in every namespace, and to cluster-scoped objects.
   * @default - nothing
   */
  readonly clusterRules?: readonly k8s.PolicyRule[];

  /**
   * What it may do in the namespace of the control plane.
   * @default - nothing
   */
  readonly rules?: readonly k8s.PolicyRule[];
}

/** A component's ServiceAccount, with a role and its binding for each scope that it has rights in. */
export class Identity extends Construct {
  constructor(scope: Construct, id: string, { component, namespace, clusterRules = [], rules = [] }: IdentityProps) {
    super(scope, id);
    const name = `sympozium-${component}`;
    const labels = componentLabels(component);
    const subjects = [{ kind: 'ServiceAccount', name, namespace }];
    const roleRef = (kind: string) => ({ apiGroup: 'rbac.authorization.k8s.io', kind, name });

    new k8s.KubeServiceAccount(this, 'service-account', {
      metadata: { name, namespace, labels },
      // Pods that use the API say so themselves.
      automountServiceAccountToken: false,
    });
    if (clusterRules.length > 0) {
      new k8s.KubeClusterRole(this, 'cluster-role', { metadata: { name, labels }, rules: [...clusterRules] });
      new k8s.KubeClusterRoleBinding(this, 'cluster-role-binding', {
        metadata: { name, labels },
        roleRef: roleRef('ClusterRole'),
        subjects,
      });
    }
    if (rules.length > 0) {
      new k8s.KubeRole(this, 'role', { metadata: { name, namespace, labels }, rules: [...rules] });
      new k8s.KubeRoleBinding(this, 'role-binding', {
        metadata: { name, namespace, labels },
        roleRef: roleRef('Role'),
        subjects,
      });
    }
  }
}
