import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { addresses, clusterName } from './layout.ts';
import { outsideDown } from './outside.ts';
import { run } from './run.ts';

const namespaceFile = `/run/netns/${clusterName}`;
const hostLink = 'sympozium0';

/** The command prefix that runs something inside the cluster's network; `ip netns exec` would hide /sys/fs/cgroup. */
export const inNetwork = ['nsenter', `--net=${namespaceFile}`] as const;

const ip = (...args: string[]): Promise<string> => run('ip', args);
const inside = (...args: string[]): Promise<string> => run(inNetwork[0], [inNetwork[1], ...args]);

/** Makes a network namespace of the cluster's own, which the host reaches over a pair of links and nothing leaves. */
export async function networkUp(): Promise<void> {
  if (existsSync(namespaceFile) && existsSync(`/sys/class/net/${hostLink}`)) return;
  await networkDown();
  await ip('netns', 'add', clusterName);
  await ip('link', 'add', hostLink, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', clusterName);
  // What comes from the cluster ends at the host, even on a host that forwards for others, as Docker's does …
  await writeFile(`/proc/sys/net/ipv4/conf/${hostLink}/forwarding`, '0');
  await ip('addr', 'add', `${addresses.host}/30`, 'dev', hostLink);
  await ip('link', 'set', hostLink, 'up');
  // … and what the host sends to a Pod's address is dropped rather than sent to its own gateway.
  await ip('route', 'replace', 'blackhole', addresses.range);
  await inside('ip', 'addr', 'add', `${addresses.node}/30`, 'dev', 'eth0');
  await inside('ip', 'link', 'set', 'eth0', 'up');
  await inside('ip', 'link', 'set', 'lo', 'up');
  // Service addresses need some route before kube-proxy's rules translate them.
  await inside('ip', 'route', 'add', 'default', 'via', addresses.host);
  await inside('sh', '-c', 'echo 1 > /proc/sys/net/ipv4/ip_forward');
}

/** Whether anything of the cluster's network exists. */
export function networkExists(): boolean {
  return existsSync(namespaceFile) || existsSync(`/sys/class/net/${hostLink}`);
}

/** Removes the network namespace, the links and the route, as far as they exist. */
export async function networkDown(): Promise<void> {
  await outsideDown();
  if (existsSync(`/sys/class/net/${hostLink}`)) await ip('link', 'del', hostLink);
  if (existsSync(namespaceFile)) await ip('netns', 'del', clusterName);
  if (await ip('route', 'show', 'type', 'blackhole', addresses.range))
    await ip('route', 'del', 'blackhole', addresses.range);
}
