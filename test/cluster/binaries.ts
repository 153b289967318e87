import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { goBuild, pruneBuilds, requireGo } from './go.ts';
import { cacheDir } from './layout.ts';
import { withLock } from './lock.ts';
import type { Progress } from './progress.ts';

const moduleDir = import.meta.dirname;
const kubernetes = ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kubelet', 'kube-proxy', 'kubectl'];

/** Binaries by name, each with the Go package it is built from; the biggest first, as the others reuse its parts. */
const packages = new Map<string, string>([
  ...kubernetes.map((name): [string, string] => [name, `k8s.io/kubernetes/cmd/${name}`]),
  ['etcd', 'go.etcd.io/etcd/server/v3'],
  ['helm', 'helm.sh/helm/v4/cmd/helm'],
  ['nats-server', 'github.com/nats-io/nats-server/v2'],
  ['coredns', './dns'],
  ['local-volumes', './storage'],
  ['pause', './pause'],
]);

/** The version of a Go module that go.mod asks for, without its leading v. */
export function moduleVersion(module: string): string {
  const goMod = readFileSync(join(moduleDir, 'go.mod'), 'utf8');
  const line = goMod.split('\n').find((text) => text.trim().replace('require ', '').startsWith(`${module} v`));
  const version = line?.split(' v')[1]?.split(' ')[0];
  if (version === undefined) throw new Error(`go.mod does not require ${module}`);
  return version;
}

function linkFlags(): string {
  const version = moduleVersion('k8s.io/kubernetes');
  const [major, minor] = version.split('.');
  const stamps = { gitVersion: `v${version}`, gitMajor: major, gitMinor: minor, gitTreeState: 'clean' };
  const stamp = Object.entries(stamps).map(([key, value]) => `-X k8s.io/component-base/version.${key}=${value}`);
  return ['-s', '-w', ...stamp].join(' ');
}

/** The directory of the binaries that this checkout's sources give; it need not exist yet. */
export function binDir(): string {
  const hash = createHash('sha256').update(linkFlags());
  const programs = [...packages.values()]
    .filter((source) => source.startsWith('./'))
    .map((source) => `${source}/main.go`);
  for (const file of ['go.mod', 'go.sum', ...programs]) hash.update(readFileSync(join(moduleDir, file)));
  return join(cacheDir(), `bin-${hash.digest('hex').slice(0, 12)}`);
}

/** The path of one built binary. */
export function binary(name: string): string {
  return join(binDir(), name);
}

const build = (name: string, source: string, detail: (text: string) => void): Promise<void> =>
  goBuild({ moduleDir, source, output: binary(name), linkFlags: linkFlags() }, detail);

const missing = (): [string, string][] => [...packages].filter(([name]) => !existsSync(binary(name)));

/** Whether all binaries of this checkout's version have been built. */
export function hasBinaries(): boolean {
  return missing().length === 0;
}

/** Builds the binaries that the cache lacks, each with its own progress step. */
export async function ensureBinaries(progress: Progress): Promise<void> {
  if (hasBinaries()) return;
  await withLock('build', progress, async () => {
    const wanted = missing();
    if (wanted.length === 0) return; // the process that this one waited for has built them
    await requireGo();
    await mkdir(binDir(), { recursive: true });
    progress.note(`Building ${wanted.length} programs from source; the first time it takes some ten minutes`);
    for (const [index, [name, source]] of wanted.entries()) {
      await progress.step(`Building ${name} (${index + 1} of ${wanted.length})`, (detail) =>
        build(name, source, detail),
      );
    }
  });
}

/** Removes old builds: all but the current one and the two newest others, which other checkouts may run from. */
export const pruneBinaries = (): Promise<void> => pruneBuilds('bin-', binDir());
