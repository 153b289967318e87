import { Yaml } from 'cdk8s';
import { synthesise, type Manifest } from '../../../lib/distribution.ts';
import { binDir, clusterDown, kubeconfigPath, nameImage, silent } from '../../cluster/index.ts';
import { runtimeSource } from '../../platform/images.ts';
import { Cluster } from '../../platform/kubectl.ts';
import { local } from '../../platform/target.ts';

/** Longest time that bringing up an empty cluster may take, for `beforeAll`. */
export const EMPTY_CLUSTER_MS = 180_000;

/**
 * A new cluster with nothing of ours in it. Its node has the images of this checkout under the names that `dist/` and
 * the chart use, as if it had pulled them: both apply as they are.
 */
export async function emptyCluster(): Promise<Cluster> {
  await clusterDown();
  const target = await local(silent);
  const runtime = await runtimeSource();
  await target.provide(runtime);
  const nats = await target.provideNats?.();
  for (const name of namedImages()) {
    await nameImage(name.includes('/nats:') ? (nats ?? name) : runtime.tag, name);
  }
  return new Cluster({ kubeconfig: kubeconfigPath, bin: binDir() });
}

/** The images that the control plane asks for, as anybody would read them from the manifests. */
function namedImages(): Set<string> {
  const yaml = Yaml.stringify(...synthesise().flatMap(({ manifests }): readonly Manifest[] => manifests));
  return new Set([...yaml.matchAll(/^ +image: (\S+)$/gm)].map(([, image = '']) => image));
}
