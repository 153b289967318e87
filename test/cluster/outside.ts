import { existsSync } from 'node:fs';
import { addresses, clusterName } from './layout.ts';
import { run } from './run.ts';

const name = 'sympozium-outside';
const link = 'outside0';
const { gateway, outside } = addresses;

/** The command prefix that runs something outside of the cluster, where the addresses of {@link outsideUp} are. */
export const inOutside = ['nsenter', `--net=/run/netns/${name}`] as const;

const ip = (...args: string[]): Promise<string> => run('ip', args);
const there = (...args: string[]): Promise<string> => run(inOutside[0], [inOutside[1], 'ip', ...args]);
const inCluster = (...args: string[]): Promise<string> =>
  run('nsenter', [`--net=/run/netns/${clusterName}`, 'ip', ...args]);

/**
 * Makes a second network namespace, which has these addresses of the internet, and routes to it from the cluster and
 * back. Nothing leaves the machine; the host itself does not see it.
 */
export async function outsideUp(internet: readonly string[]): Promise<void> {
  await outsideDown();
  await ip('netns', 'add', name);
  await inCluster('link', 'add', link, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name);
  await inCluster('addr', 'add', `${gateway}/30`, 'dev', link);
  await inCluster('link', 'set', link, 'up');
  await there('addr', 'add', `${outside}/30`, 'dev', 'eth0');
  for (const device of ['eth0', 'lo']) await there('link', 'set', device, 'up');
  await there('route', 'add', 'default', 'via', gateway);
  for (const address of internet) {
    await there('addr', 'add', `${address}/32`, 'dev', 'lo');
    await inCluster('route', 'add', `${address}/32`, 'via', outside);
  }
}

/** Removes it, where it exists; the links and routes go with it. */
export async function outsideDown(): Promise<void> {
  if (existsSync(`/run/netns/${name}`)) await ip('netns', 'del', name);
  // The kernel removes the link a moment after the namespace, and a new one could not have its name.
  if (existsSync(`/run/netns/${clusterName}`)) await inCluster('link', 'del', link).catch(() => undefined);
}
