import { clusterDown, type ClusterOptions, type Progress } from '../../cluster/index.ts';
import { modelManifests } from '../../model/manifests.ts';
import { mockImageContext } from '../../model/mock-context.ts';
import { installControlPlane, SYSTEM } from '../../platform/install.ts';
import { local, type Target } from '../../platform/target.ts';

/** So many finished runs of an instance the control plane of the tests keeps. */
export const KEPT_RUNS = 5;

/** Brings up the local cluster with the control plane of this checkout and the scripted model provider. */
export async function prepareCluster(progress: Progress, options: ClusterOptions = {}): Promise<void> {
  let target = await local(progress, options);
  if (await isForeign(target)) {
    await clusterDown(progress);
    target = await local(progress, options);
  }
  await installControlPlane(target, progress, { retention: { runsPerInstance: KEPT_RUNS } });
  await progress.step('Starting the scripted model provider', async () => {
    const source = await mockImageContext();
    await target.provide(source);
    await target.cluster.apply(await modelManifests('mock', source.tag));
    await target.cluster.kubectl(['rollout', 'status', 'deployment/aimock', '-n', 'models', '--timeout=90s']);
  });
}

/** Whether a control plane is there that Helm did not install and so can't upgrade, as other suites leave behind. */
async function isForeign({ cluster }: Target): Promise<boolean> {
  const [found, releases] = await Promise.all([
    cluster.kubectl(['get', 'deployments', '-n', SYSTEM, '-o', 'name']),
    cluster.helm(['list', '-n', SYSTEM, '--short']),
  ]);
  return found !== '' && releases.trim() === '';
}
