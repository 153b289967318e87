/** The local cluster for programs: what tests, demo and benchmarks use of this folder. */
export { binDir, ensureBinaries } from './binaries.ts';
export { goBuild, pruneBuilds, requireGo } from './go.ts';
export { clusterDown, ensureCluster, loadImage, nameImage, type Cluster } from './cluster.ts';
export { whyNotHere } from './host.ts';
export {
  buildBaseImage, buildGitBaseImage, buildImage, buildKubectlImage, buildNatsImage, buildProgramImage, buildPythonImage,
  kubectlTag, natsTag, type ImageSource,
} from './images.ts'; // prettier-ignore
export { withLock } from './lock.ts';
export { unpackPackages } from './rootfs.ts';
export { run } from './run.ts';
export { auditLogPath, cacheDir, clusterName, hostAddress, kubeconfigPath, logDir } from './layout.ts';
export { createProgress, silent, type Progress } from './progress.ts';
export type { ClusterOptions } from './options.ts';
export { inOutside, outsideDown, outsideUp } from './outside.ts';
export { ensurePackages } from './packages.ts';
export { clusterStatus, type ClusterStatus, type PartStatus } from './status.ts';
export { waitFor } from './wait.ts';
export { baseTag, gitBaseTag, pythonTag } from './tags.ts';
