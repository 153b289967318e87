import { mkdir, readdir, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { build } from 'esbuild';

const MAIN = join(import.meta.dirname, '..', 'main');

/** The Containerfile of the runtime image; its build context is what {@link bundle} writes. */
export const CONTAINERFILE = join(import.meta.dirname, 'Containerfile');

/**
 * Bundles every process of `operator/main` into `<context>/app/<process>.js`.
 *
 * @returns the names of the processes
 */
export async function bundle(context: string): Promise<readonly string[]> {
  const app = join(context, 'app');
  await rm(app, { recursive: true, force: true });
  await mkdir(join(app, 'cache'), { recursive: true });
  const sources = (await readdir(MAIN)).filter((file) => file.endsWith('.ts'));
  await build({
    entryPoints: sources.map((file) => join(MAIN, file)),
    outdir: app,
    bundle: true,
    minify: true,
    keepNames: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    splitting: false,
    legalComments: 'none',
    logLevel: 'error',
    // Bundled CommonJS packages still ask for Node's own modules with require().
    banner: { js: "import{createRequire as __cr}from'node:module';const require=__cr(import.meta.url);" },
  });
  return sources.map((file) => basename(file, '.ts'));
}
