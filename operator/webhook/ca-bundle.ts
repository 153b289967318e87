import { ReconcileError } from '../errors.ts';
import type { KubeApi, Resource } from '../kube/port.ts';
import type { WebhookConfiguration } from '../kube/resources.ts';

/**
 * Tells the API server which authorities to trust. Only `caBundle` is owned, so whoever installed the configuration keeps
 * the rest; nothing is written when it is right.
 *
 * @throws ReconcileError when there is no such configuration
 */
export async function ensureCaBundle(
  kube: Pick<KubeApi, 'apply'>,
  resource: Resource<WebhookConfiguration>,
  found: { readonly name: string; readonly configuration: WebhookConfiguration | undefined },
  bundle: string,
): Promise<void> {
  const { name, configuration } = found;
  if (configuration === undefined) {
    const message = `${resource.kind} '${name}' is not there: install it, or correct WEBHOOK_CONFIGURATION`;
    throw ReconcileError.waiting('WebhookConfigurationNotFound', message, 5);
  }
  const caBundle = Buffer.from(bundle).toString('base64');
  const webhooks = configuration.webhooks ?? [];
  if (webhooks.every(({ clientConfig }) => clientConfig.caBundle === caBundle)) return;
  await kube.apply(resource, {
    apiVersion: resource.apiVersion,
    kind: resource.kind,
    metadata: { name },
    webhooks: webhooks.map((webhook) => ({ name: webhook.name, clientConfig: { caBundle } })),
  });
}
