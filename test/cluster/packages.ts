import type { Progress } from './progress.ts';
import { run } from './run.ts';

/** Debian packages that the cluster and the image builder need. */
const needed = [
  'buildah',
  'ca-certificates',
  'conntrack',
  'containerd',
  'containernetworking-plugins',
  'iproute2',
  'iptables',
  'nftables',
  'runc',
];

async function missing(names: readonly string[]): Promise<string[]> {
  const listed = await run('dpkg-query', ['-W', '-f', '${Package} ${db:Status-Status}\n']).catch(() => {
    throw new Error('the local cluster needs Debian or Ubuntu, for its packages; use kind or a real cluster elsewhere');
  });
  const installed = new Set(listed.split('\n').filter((line) => line.endsWith(' installed')));
  return names.filter((name) => !installed.has(`${name} installed`));
}

/** Installs the Debian packages that are missing, by default of those that the cluster needs. */
export async function ensurePackages(progress: Progress, wanted: readonly string[] = needed): Promise<void> {
  const names = await missing(wanted);
  if (names.length === 0) return;
  await progress.step(`Installing Debian packages ${names.join(', ')}`, async () => {
    const env = { DEBIAN_FRONTEND: 'noninteractive' };
    const quiet = ['-qq', '-o', 'DPkg::Lock::Timeout=300'];
    await run('apt-get', [...quiet, 'update'], { env });
    await run('apt-get', [...quiet, 'install', '-y', '--no-install-recommends', ...names], { env });
  });
}
