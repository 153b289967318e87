import type { Progress } from '../../cluster/index.ts';
import { modelManifests } from '../../model/manifests.ts';
import { mockImage } from '../../platform/images.ts';
import { installControlPlane } from '../../platform/install.ts';
import { local } from '../../platform/target.ts';

/** So many finished runs of an instance the control plane of the tests keeps. */
export const KEPT_RUNS = 5;

/** Brings up the local cluster with the control plane of this checkout and the scripted model provider. */
export async function prepareCluster(progress: Progress): Promise<void> {
  const target = await local(progress);
  await installControlPlane(target, progress, { retention: { runsPerInstance: KEPT_RUNS } });
  await progress.step('Starting the scripted model provider', async () => {
    const image = await mockImage();
    await target.load(image);
    await target.cluster.apply(await modelManifests('mock', image.tag));
    await target.cluster.kubectl(['rollout', 'status', 'deployment/aimock', '-n', 'models', '--timeout=90s']);
  });
}
