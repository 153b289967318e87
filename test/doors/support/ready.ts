import { SYSTEM } from '../../platform/install.ts';
import type { Cluster } from '../../platform/kubectl.ts';
import { eventually } from '../../support/eventually.ts';

const WORKLOADS = [
  'statefulset/sympozium-nats',
  ...['controller', 'webhook', 'gateway'].map((name) => `deployment/sympozium-${name}`),
];

/**
 * Waits until the whole control plane works: every Pod is Ready, the API server reaches the webhook, of which the node
 * hears a moment after its Pods are Ready, and the controller, which leads, has made the built-in policies.
 */
export async function untilReady(cluster: Cluster): Promise<void> {
  for (const workload of WORKLOADS) {
    await cluster.kubectl(['rollout', 'status', workload, '-n', SYSTEM, '--timeout=120s']);
  }
  const policies = () => cluster.kubectl(['get', 'sympoziumpolicies', '-n', SYSTEM, '-o', 'name']);
  await eventually(async () => (await policies()).trimEnd().split('\n').length === 3, 30_000, 200);
  const trial = ['create', '-n', SYSTEM, '--dry-run=server', '-f', '-'];
  const policy = JSON.stringify({
    apiVersion: 'sympozium.ai/v1alpha1',
    kind: 'SympoziumPolicy',
    metadata: { name: 'trial' },
    spec: { template: 'Permissive' },
  });
  await eventually(() => cluster.kubectl(trial, policy).then(Boolean, () => false), 30_000, 200);
}
