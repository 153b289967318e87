import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { copyFile, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  cacheDir,
  ensurePackages,
  goBuild,
  pruneBuilds,
  requireGo,
  run,
  withLock,
  type Progress,
} from '../cluster/index.ts';

const moduleDir = import.meta.dirname;
const file = (name: string): string => join(moduleDir, name);
const text = (name: string): string => readFileSync(file(name), 'utf8');

/** Where a tool goes that is made from these files. */
const folderOf = (prefix: string, ...files: readonly string[]): string =>
  join(cacheDir(), `${prefix}${createHash('sha256').update(files.map(text).join()).digest('hex').slice(0, 12)}`);

/** Version of kube-score, as go.mod has it. */
export const kubeScoreVersion = versionIn('go.mod', /zegl\/kube-score v(\S+)/);

/** Version of checkov, as requirements.txt has it. */
export const checkovVersion = versionIn('requirements.txt', /^checkov==(\S+)$/m);

function versionIn(name: string, pattern: RegExp): string {
  const version = pattern.exec(text(name))?.[1];
  if (version === undefined) throw new Error(`test/scanners/${name} names no version: expected ${String(pattern)}`);
  return version;
}

const KUBE_SCORE = `kube-score-${kubeScoreVersion}-`;
const CHECKOV = `checkov-${checkovVersion}-`;
const kubeScoreFolder = (): string => folderOf(KUBE_SCORE, 'go.mod', 'go.sum');
const checkovFolder = (): string => folderOf(CHECKOV, 'requirements.txt');

/** The program of kube-score. */
export const kubeScoreBinary = (): string => join(kubeScoreFolder(), 'kube-score');

/** The Python that has checkov. */
export const checkovPython = (): string => join(checkovFolder(), 'bin', 'python');

/** Written last, so that an environment that was not finished is made anew. */
const finished = (): string => join(checkovFolder(), 'requirements.txt');

/** Builds and installs the scanners that the cache lacks, each with its own progress step. */
export async function ensureScanners(progress: Progress): Promise<void> {
  await ensureKubeScore(progress);
  await ensureCheckov(progress);
}

async function ensureKubeScore(progress: Progress): Promise<void> {
  if (existsSync(kubeScoreBinary())) return;
  await withLock('build', progress, async () => {
    await requireGo();
    await mkdir(kubeScoreFolder(), { recursive: true });
    const source = 'github.com/zegl/kube-score/cmd/kube-score';
    const program = { moduleDir, source, output: kubeScoreBinary(), linkFlags: '-s -w' };
    await progress.step(`Building kube-score ${kubeScoreVersion}`, (detail) => goBuild(program, detail));
  });
  await pruneBuilds('kube-score-', kubeScoreFolder());
}

async function ensureCheckov(progress: Progress): Promise<void> {
  if (existsSync(finished())) return;
  await withLock('build', progress, async () => {
    if (existsSync(finished())) return;
    await ensurePackages(progress, ['ca-certificates', 'python3-venv']);
    await progress.step(`Installing checkov ${checkovVersion}`, async () => {
      await rm(checkovFolder(), { recursive: true, force: true });
      // Debian's own, which python3-venv belongs to: another one may come first in PATH.
      await run('/usr/bin/python3', ['-m', 'venv', checkovFolder()]);
      const quiet = ['--quiet', '--no-input', '--disable-pip-version-check'];
      await run(checkovPython(), ['-m', 'pip', 'install', ...quiet, '--requirement', file('requirements.txt')]);
      await copyFile(file('requirements.txt'), finished());
    });
  });
  await pruneBuilds('checkov-', checkovFolder());
}
