import { k8s } from 'cdk8s-plus-28';
import { Construct } from 'constructs';
import { GROUP, VERSION } from '../api/group.ts';
import { KINDS } from '../api/v1alpha1/index.ts';
import { toolApproval } from '../api/v1alpha1/tool-approval.ts';
import { componentLabels } from './labels.ts';
import { NAMES } from './names.ts';
import { CERT_MANAGER } from './webhook-certificate.ts';

/** What the admission configurations need to know. */
export interface AdmissionProps {
  /** Namespace of the webhook's Service. */
  readonly namespace: string;

  /**
   * Who writes the certificate authority into the configurations.
   * @default webhook
   */
  readonly trustedBy?: 'webhook' | 'cert-manager';
}

/**
 * Tells the API server to ask the webhook about our kinds, and to refuse them when it gets no answer. The certificate
 * authority is missing on purpose: the webhook, or cert-manager, writes it here at run time, and nobody who applies
 * these manifests again takes it away.
 */
export class Admission extends Construct {
  constructor(scope: Construct, id: string, { namespace, trustedBy = 'webhook' }: AdmissionProps) {
    super(scope, id);
    const metadata = {
      name: NAMES.webhookConfiguration,
      labels: componentLabels('webhook'),
      ...(trustedBy === 'webhook'
        ? {}
        : { annotations: { [`${CERT_MANAGER}/inject-ca-from`]: `${namespace}/${NAMES.webhook}` } }),
    };

    new k8s.KubeMutatingWebhookConfiguration(this, 'mutating', {
      metadata,
      webhooks: [
        {
          ...common('mutate', namespace),
          // Runs once more when a later webhook changed the object after it.
          reinvocationPolicy: 'IfNeeded',
          // Updates only where someone decides: who it was is stamped.
          rules: [...rules(['CREATE']), ...rules(['UPDATE'], [toolApproval.plural])],
        },
      ],
    });
    new k8s.KubeValidatingWebhookConfiguration(this, 'validating', {
      metadata,
      webhooks: [{ ...common('validate', namespace), rules: rules(['CREATE', 'UPDATE']) }],
    });
  }
}

const common = (verb: 'mutate' | 'validate', namespace: string): Omit<k8s.ValidatingWebhook, 'rules'> => ({
  name: `${verb}.${GROUP}`,
  admissionReviewVersions: ['v1'],
  clientConfig: { service: { name: NAMES.webhook, namespace, path: `/${verb}`, port: 443 } },
  failurePolicy: 'Fail',
  matchPolicy: 'Equivalent',
  sideEffects: 'None',
  timeoutSeconds: 5,
});

/** Exactly our kinds and not their status: the controller's own writes never wait for the webhook. */
const rules = (
  operations: string[],
  resources: string[] = KINDS.map(({ plural }) => plural),
): k8s.RuleWithOperations[] => [
  {
    apiGroups: [GROUP],
    apiVersions: [VERSION],
    operations,
    resources,
    scope: 'Namespaced',
  },
];
