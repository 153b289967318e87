import type { KubeApi } from '../../operator/kube/port.ts';
import { MUTATING_WEBHOOKS, VALIDATING_WEBHOOKS, type WebhookConfiguration } from '../../operator/kube/resources.ts';

/** Name of both admission configurations. */
export const CONFIGURATION = 'sympozium';

/** What the manifests say, but for a webhook on this machine. */
export async function registerWebhook(kube: Pick<KubeApi, 'create'>, port: number): Promise<void> {
  const both = [
    [MUTATING_WEBHOOKS, 'mutate', ['CREATE']],
    [VALIDATING_WEBHOOKS, 'validate', ['CREATE', 'UPDATE']],
  ] as const;
  for (const [resource, path, operations] of both) {
    const webhook = {
      name: `${path}.sympozium.ai`,
      admissionReviewVersions: ['v1'],
      clientConfig: { url: `https://localhost:${port}/${path}` },
      failurePolicy: 'Fail',
      sideEffects: 'None',
      rules: [{ apiGroups: ['sympozium.ai'], apiVersions: ['v1alpha1'], operations, resources: ['*'] }],
    };
    const { apiVersion, kind } = resource;
    const configuration: WebhookConfiguration = {
      apiVersion,
      kind,
      metadata: { name: CONFIGURATION },
      webhooks: [webhook],
    };
    await kube.create(resource, configuration);
  }
}
