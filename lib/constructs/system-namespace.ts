import { k8s } from 'cdk8s-plus-28';
import { Construct } from 'constructs';

/** What the namespace of the control plane needs to know. */
export interface SystemNamespaceProps {
  /** Its name. */
  readonly name: string;
}

/** Namespace of the control plane. The cluster itself refuses Pods in it that don't satisfy Pod Security `restricted`. */
export class SystemNamespace extends Construct {
  constructor(scope: Construct, id: string, { name }: SystemNamespaceProps) {
    super(scope, id);
    new k8s.KubeNamespace(this, 'namespace', {
      metadata: { name, labels: { 'app.kubernetes.io/name': 'sympozium', ...POD_SECURITY } },
    });
  }
}

/** Labels that make a namespace enforce Pod Security `restricted`. */
export const POD_SECURITY = Object.fromEntries(
  ['enforce', 'audit', 'warn'].map((mode) => [`pod-security.kubernetes.io/${mode}`, 'restricted']),
);
