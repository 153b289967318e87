import { existsSync, readdirSync } from 'node:fs';
import { mkdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { clusterName } from './layout.ts';

const root = '/sys/fs/cgroup';

/** The cgroup below which all Pods run, so that a second kubelet on the machine would not take them for its own. */
export const cgroupRoot = `/${clusterName}`;

const isUnified = (): boolean => existsSync(`${root}/cgroup.controllers`);

/** Where cgroups of version 2 are, also where those of version 1 are in use beside them. */
export const unifiedCgroup = (): string => (isUnified() ? root : `${root}/unified`);

/** Our directory in each hierarchy: one in cgroup v2, one per controller in v1. */
function directories(): string[] {
  if (isUnified()) return [join(root, clusterName)];
  const hierarchies = readdirSync(root, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return hierarchies.map(({ name }) => join(root, name, clusterName));
}

/** Makes the cluster's cgroups, in which the kubelet then makes those of the Pods. */
export async function cgroupsUp(): Promise<void> {
  if (isUnified()) {
    const controllers = (await readFile(`${root}/cgroup.controllers`, 'utf8')).trim().split(' ');
    await writeFile(`${root}/cgroup.subtree_control`, controllers.map((name) => `+${name}`).join(' '));
  }
  for (const directory of directories()) {
    await mkdir(directory, { recursive: true });
    if (isUnified() || !existsSync(`${directory}/cpuset.cpus`)) continue;
    // A new cpuset of cgroup v1 is empty, and no process may enter it before it is filled.
    for (const file of ['cpuset.cpus', 'cpuset.mems']) {
      await writeFile(`${directory}/${file}`, await readFile(join(directory, '..', file)));
    }
  }
}

/** Whether any cgroup of the cluster exists. */
export function cgroupsExist(): boolean {
  return directories().some((directory) => existsSync(directory));
}

function descend(directory: string): string[] {
  if (!existsSync(directory)) return [];
  const below = readdirSync(directory, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return [...below.flatMap(({ name }) => descend(join(directory, name))), directory];
}

/** The processes in the cluster's cgroups: those of the Pods, and nobody else's. */
export async function cgroupProcesses(): Promise<number[]> {
  const found = new Set<number>();
  for (const directory of directories().flatMap(descend)) {
    const content = await readFile(`${directory}/cgroup.procs`, 'utf8').catch(() => '');
    for (const pid of content.split('\n').filter(Boolean)) found.add(Number(pid));
  }
  return [...found];
}

/** Removes the cluster's cgroups; throws while processes are left in them. */
export async function cgroupsDown(): Promise<void> {
  for (const directory of directories().flatMap(descend)) await rmdir(directory);
}
