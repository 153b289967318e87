import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { chmod, cp, mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheDir, goBuild, pruneBuilds, requireGo, run, withLock, type Progress } from '../cluster/index.ts';

/** Programs of one go.mod, and files that come with the modules they are built from. */
interface Toolset {
  /** Folder next to this file that holds the go.mod. */
  readonly folder: string;
  /** Packages by the name of the program; the biggest first, as the others reuse its parts. */
  readonly programs: Readonly<Record<string, string>>;
  /** Files and folders to keep, by the name that they get: a module and the path in it. */
  readonly files: Readonly<Record<string, readonly [module: string, path: string]>>;
}

const FLUX = 'github.com/fluxcd';
const ARGO_CD = 'github.com/argoproj/argo-cd/v3';

/** The two controllers of Flux, with the manifests that they are installed by. */
export const flux: Toolset = {
  folder: 'flux',
  programs: {
    'source-controller': `${FLUX}/source-controller`,
    'kustomize-controller': `${FLUX}/kustomize-controller`,
  },
  files: {
    'source-controller.config': [`${FLUX}/source-controller`, 'config'],
    'kustomize-controller.config': [`${FLUX}/kustomize-controller`, 'config'],
  },
};

/** The parts of Argo CD in one program, the two programs that it calls, and the manifests of its kinds and settings. */
export const argoCd: Toolset = {
  folder: 'argo-cd',
  programs: { 'argo-cd': '.', kustomize: 'sigs.k8s.io/kustomize/kustomize/v5' },
  files: {
    'argo-cd.crds': [ARGO_CD, 'manifests/crds'],
    'argo-cd.config': [ARGO_CD, 'manifests/base/config'],
    'git-verify-wrapper.sh': [ARGO_CD, 'hack/git-verify-wrapper.sh'],
  },
};

const moduleDir = ({ folder }: Toolset): string => join(import.meta.dirname, folder);

function toolDir(tools: Toolset): string {
  const hash = createHash('sha256').update(JSON.stringify(tools));
  for (const file of readdirSync(moduleDir(tools)).sort()) hash.update(readFileSync(join(moduleDir(tools), file)));
  return join(cacheDir(), `gitops-${tools.folder}-${hash.digest('hex').slice(0, 12)}`);
}

/**
 * Builds what the cache lacks, each with its own progress step.
 *
 * @returns the folder with the programs and the files
 */
export async function ensureTools(tools: Toolset, progress: Progress): Promise<string> {
  const target = toolDir(tools);
  const isMissing = (name: string): boolean => !existsSync(join(target, name));
  if (![...Object.keys(tools.programs), ...Object.keys(tools.files)].some(isMissing)) return target;
  await withLock('build', progress, async () => {
    await requireGo();
    await mkdir(target, { recursive: true });
    for (const [name, source] of Object.entries(tools.programs).filter(([program]) => isMissing(program))) {
      const program = { moduleDir: moduleDir(tools), source, output: join(target, name), linkFlags: '-s -w' };
      await progress.step(`Building ${name}`, (detail) => goBuild(program, detail));
    }
    for (const [name, [module, path]] of Object.entries(tools.files)) {
      await copy(join(await moduleSource(tools, module), path), join(target, name));
    }
  });
  await pruneBuilds(`gitops-${tools.folder}-`, target);
  return target;
}

/** Where Go keeps the sources of a module. */
async function moduleSource(tools: Toolset, module: string): Promise<string> {
  const output = await run('go', ['mod', 'download', '-json', module], { cwd: moduleDir(tools) });
  return (JSON.parse(output) as { Dir: string }).Dir;
}

async function copy(from: string, to: string): Promise<void> {
  const unfinished = `${to}.${process.pid}`;
  await rm(unfinished, { recursive: true, force: true });
  await cp(from, unfinished, { recursive: true });
  await chmod(unfinished, 0o755); // in Go's module cache nothing may be written or run
  await rm(to, { recursive: true, force: true });
  await rename(unfinished, to);
}
