import { k8s } from 'cdk8s-plus-28';
import { Construct } from 'constructs';
import { componentLabels } from './labels.ts';
import { NAMES, PORTS } from './names.ts';
import { Process, type CommonProps, type SizeProps } from './process.ts';

/** What is special about the gateway. */
export interface GatewayOptions extends SizeProps {
  /**
   * Networks of the cluster's Pods and Services that are not of a private range, such as `203.0.113.0/24`. Tools reach
   * them only where a policy opens the cluster.
   * @default - none: private addresses are inside of the cluster, all others on the internet
   */
  readonly clusterNetworks?: readonly string[];
}

/** What the gateway needs to know. */
export interface GatewayProps extends CommonProps, GatewayOptions {}

/**
 * The one way out: takes model calls from runs, adds the provider's key, and speaks the provider's protocol; and fetches
 * for them what policies allow.
 */
export class Gateway extends Construct {
  constructor(scope: Construct, id: string, props: GatewayProps) {
    super(scope, id);
    const labels = componentLabels('gateway');

    new Process(this, 'process', {
      ...props,
      component: 'gateway',
      env: {
        CONTROLLER_SERVICE_ACCOUNT: `${props.namespace}/${NAMES.controller}`,
        CLUSTER_NETWORKS: (props.clusterNetworks ?? []).join(','),
      },
      // Answers that models are still writing may go on for half a minute.
      terminationGracePeriodSeconds: 45,
      port: { name: 'http', number: PORTS.gateway },
    });

    new k8s.KubeService(this, 'service', {
      metadata: { name: NAMES.gateway, namespace: props.namespace, labels },
      spec: {
        selector: labels,
        ports: [{ name: 'http', port: PORTS.gateway, targetPort: k8s.IntOrString.fromString('http') }],
      },
    });
  }
}
