import { k8s } from 'cdk8s-plus-28';
import { Construct } from 'constructs';
import { componentLabels } from './labels.ts';
import { NAMES, PORTS } from './names.ts';
import { Process, type CommonProps, type SizeProps } from './process.ts';

/** What the gateway needs to know. */
export interface GatewayProps extends CommonProps, SizeProps {}

/** The one way out: takes model calls from runs, adds the provider's key, and speaks the provider's protocol. */
export class Gateway extends Construct {
  constructor(scope: Construct, id: string, props: GatewayProps) {
    super(scope, id);
    const labels = componentLabels('gateway');

    new Process(this, 'process', {
      ...props,
      component: 'gateway',
      env: { CONTROLLER_SERVICE_ACCOUNT: `${props.namespace}/${NAMES.controller}` },
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
