import { silent } from '../../cluster/index.ts';
import { modelManifests } from '../../model/manifests.ts';
import { mockImageContext } from '../../model/mock-context.ts';
import type { Cluster } from '../../platform/kubectl.ts';
import { local } from '../../platform/target.ts';

/** Starts the scripted model provider in the cluster. */
export async function startMock(cluster: Cluster): Promise<void> {
  const source = await mockImageContext();
  await (await local(silent)).provide(source);
  await cluster.apply(await modelManifests('mock', source.tag));
  await cluster.kubectl(['rollout', 'status', 'deployment/aimock', '-n', 'models', '--timeout=90s']);
}
