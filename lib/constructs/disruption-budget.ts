import { k8s } from 'cdk8s-plus-28';
import type { Construct } from 'constructs';
import { componentLabels, type Component } from './labels.ts';

/** Keeps drains of nodes from stopping all Pods of a component at once. */
export function disruptionBudget(scope: Construct, component: Component, namespace: string): void {
  new k8s.KubePodDisruptionBudget(scope, 'disruption-budget', {
    metadata: { name: `sympozium-${component}`, namespace, labels: componentLabels(component) },
    spec: {
      selector: { matchLabels: componentLabels(component) },
      // Not minAvailable: with one replica that would block every drain.
      maxUnavailable: k8s.IntOrString.fromNumber(1),
      // A Pod that is broken anyway must not hold up the repair of its node.
      unhealthyPodEvictionPolicy: 'AlwaysAllow',
    },
  });
}
