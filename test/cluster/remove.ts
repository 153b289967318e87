import { existsSync } from 'node:fs';
import { lstat, readFile, readdir, readlink, rm, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { answers } from './api.ts';
import { cgroupProcesses, cgroupsDown, cgroupsExist } from './cgroups.ts';
import { clusterName, stateDir } from './layout.ts';
import { networkDown, networkExists } from './network.ts';
import { clusterProcesses, kill } from './processes.ts';
import { run } from './run.ts';
import { restoreSysctls } from './sysctls.ts';
import { waitFor } from './wait.ts';

const list = (directory: string): Promise<string[]> => readdir(directory).catch(() => []);

/** The cluster's processes: the components, what containerd started, and what runs in the Pods. */
async function allProcesses(): Promise<number[]> {
  return [...clusterProcesses().map(({ pid }) => pid), ...(await cgroupProcesses())];
}

async function endProcesses(): Promise<void> {
  await waitFor(
    async () => {
      const pids = await allProcesses();
      // Nothing is stopped politely: politeness can hang, and the state that it would protect goes too.
      kill(pids);
      return pids.length === 0 ? true : undefined;
    },
    20_000,
    () => 'processes of the cluster do not end even when killed; see: ps ax | grep sympozium-cluster',
  );
}

async function mountPoints(): Promise<string[]> {
  const mounts = (await readFile('/proc/self/mounts', 'utf8')).split('\n').map((line) => line.split(' ')[1] ?? '');
  return mounts
    .filter((path) => path.startsWith(`${stateDir}/`))
    .sort()
    .reverse();
}

async function unmount(): Promise<void> {
  const paths = await mountPoints();
  if (paths.length > 0) await run('umount', ['--lazy', ...paths]).catch(() => undefined);
  const left = await mountPoints();
  // Going on would delete what is mounted there.
  if (left.length > 0) throw new Error(`cannot unmount ${left.join(', ')}`);
}

/** containerd's shims listen on sockets outside our directory; each bundle has a file that names its own. */
async function removeShimSockets(): Promise<void> {
  const bundles = `${stateDir}/containerd/state/io.containerd.runtime.v2.task/k8s.io`;
  for (const bundle of await list(bundles)) {
    const address = await readFile(join(bundles, bundle, 'address'), 'utf8').catch(() => '');
    if (address.startsWith('unix:///run/containerd/s/')) await rm(address.replace('unix://', ''), { force: true });
  }
}

/** The CNI library caches results under names of network and container; the loopback's carry the container's only. */
async function removeCniResults(): Promise<void> {
  const directory = '/var/lib/cni/results';
  const files = await list(directory);
  const ours = files.filter((file) => file.startsWith(`${clusterName}-`));
  const containers = ours.map((file) => file.slice(clusterName.length + 1).replace(/-[^-]*$/, ''));
  const loopbacks = files.filter((file) => containers.some((id) => file.startsWith(`cni-loopback-${id}-`)));
  for (const file of [...ours, ...loopbacks]) await rm(join(directory, file), { force: true });
}

/** The kubelet links logs from a directory that cannot be configured. */
async function removeLogLinks(): Promise<void> {
  const directory = '/var/log/containers';
  for (const name of await list(directory)) {
    const path = join(directory, name);
    if ((await lstat(path)).isSymbolicLink() && (await readlink(path)).startsWith(`${stateDir}/`)) await rm(path);
  }
}

/** The kubelet's directory for device plugins cannot be configured; it stays where another kubelet listens in it. */
async function removeDevicePlugins(): Promise<void> {
  const directory = '/var/lib/kubelet/device-plugins';
  if (await answers(`${directory}/kubelet.sock`)) return;
  await rm(`${directory}/kubelet.sock`, { force: true });
  for (const path of [directory, dirname(directory)]) await rmdir(path).catch(() => undefined);
}

/** Whether anything of a cluster is on this machine. */
export function anythingLeft(): boolean {
  return existsSync(stateDir) || networkExists() || cgroupsExist();
}

/** Removes the cluster and everything that it left on the machine. */
export async function removeCluster(): Promise<void> {
  await endProcesses();
  await unmount();
  await removeShimSockets();
  await removeCniResults();
  await removeLogLinks();
  await removeDevicePlugins();
  await restoreSysctls();
  await networkDown();
  await waitFor(
    () =>
      cgroupsDown().then(
        () => true,
        () => undefined,
      ),
    5000,
    () => 'the cgroups of the cluster do not become empty',
  );
  await rm(stateDir, { recursive: true, force: true });
}
