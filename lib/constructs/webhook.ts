import { k8s } from 'cdk8s-plus-28';
import { Construct } from 'constructs';
import { componentLabels } from './labels.ts';
import { NAMES, PORTS } from './names.ts';
import { Process, type CommonProps, type SizeProps } from './process.ts';
import type { CertificatesOptions } from './webhook-certificate.ts';

/** What the webhook needs to know. */
export interface WebhookProps extends CommonProps, SizeProps {
  /**
   * Who makes its certificate.
   * @default - the webhook itself
   */
  readonly certificates?: CertificatesOptions;
}

/** The process that looks at every object of our kinds before the cluster stores it. */
export class Webhook extends Construct {
  constructor(scope: Construct, id: string, { certificates, ...props }: WebhookProps) {
    super(scope, id);
    const labels = componentLabels('webhook');

    new Process(this, 'process', {
      ...props,
      component: 'webhook',
      env:
        certificates?.certManager === undefined
          ? { SERVICE_NAME: NAMES.webhook, WEBHOOK_CONFIGURATION: NAMES.webhookConfiguration }
          : { SERVICE_NAME: NAMES.webhook, CERTIFICATE_SECRET: NAMES.webhookIssuedSecret },
      port: { name: 'https', number: PORTS.webhook },
    });

    new k8s.KubeService(this, 'service', {
      metadata: { name: NAMES.webhook, namespace: props.namespace, labels },
      spec: {
        selector: labels,
        ports: [{ name: 'https', port: 443, targetPort: k8s.IntOrString.fromString('https') }],
      },
    });
  }
}
