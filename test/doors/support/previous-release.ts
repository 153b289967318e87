import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, readFile, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cacheDir } from '../../cluster/index.ts';
import type { ImageContext } from '../../model/context.ts';

const exec = promisify(execFile);
const ROOT = join(import.meta.dirname, '../../..');
const CHART = 'charts/sympozium';
/** So many commits are looked at; each that has another chart takes a few seconds. */
const MOST_COMMITS = 100;

const git = async (...args: readonly string[]): Promise<string> =>
  (await exec('git', ['-C', ROOT, ...args], { maxBuffer: 64 * 1024 * 1024 })).stdout.trim();

/** What someone has installed who upgrades to this checkout. */
export interface PreviousRelease {
  readonly commit: string;
  /** Folder of its chart. */
  readonly chart: string;
  /** Bundles its processes, as it does it itself, and says what its image is built from. */
  readonly image: () => Promise<ImageContext>;
}

/**
 * The newest commit that could have been released and whose chart is not the present one, unpacked; `undefined` where the
 * history doesn't reach back to one. A commit can be released when it generates the chart that it holds: between two of
 * those a chart may not fit the processes beside it.
 */
export async function previousRelease(): Promise<PreviousRelease | undefined> {
  const folder = join(cacheDir(), 'previous-release');
  for (const commit of await commits()) {
    if ((await git('diff', '--name-only', commit, '--', CHART)) === '') continue;
    const checkout = await unpack(commit, folder).catch(() => undefined);
    if (checkout === undefined || !(await isReleasable(checkout))) continue;
    return { commit, chart: join(checkout, CHART), image: () => image(checkout, join(folder, 'image')) };
  }
  return undefined;
}

/** The history, newest first; nothing without git or outside of a repository. */
const commits = async (): Promise<string[]> =>
  (await git('rev-list', `--max-count=${MOST_COMMITS}`, 'HEAD', '--', 'lib', 'operator', CHART).catch(() => ''))
    .split('\n')
    .filter(Boolean);

async function unpack(commit: string, folder: string): Promise<string> {
  const checkout = join(folder, 'checkout');
  await rm(folder, { recursive: true, force: true });
  await mkdir(checkout, { recursive: true });
  const archive = join(folder, 'checkout.tar');
  await git('archive', '--output', archive, commit, 'lib', 'operator', 'charts', 'package.json');
  await exec('tar', ['-xf', archive, '-C', checkout]);
  await symlink(join(ROOT, 'node_modules'), join(checkout, 'node_modules'));
  return checkout;
}

async function isReleasable(checkout: string): Promise<boolean> {
  const generated = join(checkout, 'generated');
  try {
    await exec(process.execPath, ['lib/helm/main.ts', generated], { cwd: checkout });
    await exec('diff', ['--recursive', generated, join(checkout, CHART)]);
    return true;
  } catch {
    return false;
  }
}

async function image(checkout: string, context: string): Promise<ImageContext> {
  const program = `import { bundle } from './operator/image/bundle.ts'; await bundle(${JSON.stringify(context)});`;
  await exec(process.execPath, ['--input-type=module', '--eval', program], { cwd: checkout });
  const hash = createHash('sha256').update(await readFile(join(context, 'app', 'controller.js')));
  return {
    context,
    containerfile: join(checkout, 'operator', 'image', 'Containerfile'),
    tag: `localhost/sympozium-previous:${hash.digest('hex').slice(0, 12)}`,
  };
}
