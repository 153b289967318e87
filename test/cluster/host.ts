import { existsSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { hasBinaries } from './binaries.ts';
import { hasGvisor } from './gvisor.ts';

const administration = 1n << 21n; // CAP_SYS_ADMIN: mounts and network namespaces

function lacksCapability(): boolean {
  const effective = /^CapEff:\s*([0-9a-f]+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
  return effective !== undefined && (BigInt(`0x${effective}`) & administration) === 0n;
}

const onPath = (program: string): boolean =>
  (process.env.PATH ?? '').split(delimiter).some((directory) => existsSync(join(directory, program)));

/** Why this machine cannot host the local cluster, as the end of a sentence; undefined when it can. */
export function whyNotHere(): string | undefined {
  if (process.platform !== 'linux' || process.arch !== 'x64') return 'it needs Linux on x86-64';
  if (process.getuid?.() !== 0) return 'it changes networks and mounts, so it needs root';
  if (lacksCapability()) return 'it needs to make mounts, which this container may not';
  if (!existsSync('/usr/bin/apt-get')) return 'it takes containerd from Debian or Ubuntu packages';
  if (!(hasBinaries() && hasGvisor()) && !onPath('go')) return 'it is built from source and Go is not installed';
  return undefined;
}
