import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';
import { requiredBuiltins } from './required-builtins.ts';

const MAIN = join(import.meta.dirname, '..', 'main');

/** The processes, each a file of `operator/main`. */
export const PROCESSES = ['agent', 'bridge', 'controller', 'gateway', 'webhook'] as const;

/** The Containerfile of the runtime image; its build context is what {@link bundle} writes. */
export const CONTAINERFILE = join(import.meta.dirname, 'Containerfile');

/** Bundles every process into `<context>/app/<process>.js`, and gives the files that are in the bundles. */
export async function bundle(context: string): Promise<string[]> {
  const app = join(context, 'app');
  await rm(app, { recursive: true, force: true });
  await mkdir(app, { recursive: true });
  const { metafile } = await build({
    entryPoints: PROCESSES.map((name) => join(MAIN, `${name}.ts`)),
    outdir: app,
    bundle: true,
    minify: true,
    keepNames: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    splitting: false,
    plugins: [requiredBuiltins],
    legalComments: 'none',
    logLevel: 'error',
    metafile: true,
    // Only a kubeconfig needs it, and in a Pod there is none: left out, the bundles are a tenth of the size.
    external: ['@kubernetes/client-node/*'],
    // Bundled CommonJS packages still ask for Node's own modules with require().
    banner: { js: "import{createRequire as __cr}from'node:module';const require=__cr(import.meta.url);" },
  });
  const parts = Object.values(metafile.outputs).flatMap(({ inputs }) => Object.entries(inputs));
  return [...new Set(parts.filter(([, { bytesInOutput }]) => bytesInOutput > 0).map(([file]) => file))].sort();
}
