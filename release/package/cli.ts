import { join } from 'node:path';
import { build, type Plugin } from 'esbuild';
import { versionOnly } from './version-only.ts';

const ROOT = join(import.meta.dirname, '..', '..');

/** The command line in the npm package, to which `bin` of package.json points. */
export const CLI_FILE = join('cli', 'sympozium.js');

/** client-node offers its settings to fetch as well; nothing here asks for them, and undici is as large as all the rest. */
const withoutUndici: Plugin = {
  name: 'without-undici',
  setup(build) {
    build.onResolve({ filter: /^undici$/ }, ({ path }) => ({ path, namespace: 'without-undici' }));
    build.onLoad({ filter: /.*/, namespace: 'without-undici' }, () => ({
      contents: 'export const Agent = undefined, ProxyAgent = undefined, fetch = undefined;',
    }));
  },
};

/**
 * Bundles the command line into one file, so that whoever installs the package for its constructs installs no client of
 * Kubernetes with it.
 *
 * @param directory folder of the built package; left out, nothing is written
 * @returns the files that the bundle holds code of
 */
export async function buildCli(directory?: string): Promise<string[]> {
  const { metafile } = await build({
    entryPoints: [join(ROOT, 'operator', 'main', 'cli.ts')],
    outfile: join(directory ?? 'nowhere', CLI_FILE),
    write: directory !== undefined,
    absWorkingDir: ROOT,
    bundle: true,
    minify: true,
    keepNames: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    external: ['zod'], // a dependency of the package
    plugins: [versionOnly, withoutUndici],
    legalComments: 'none',
    logLevel: 'error',
    metafile: true,
    // Bundled CommonJS packages still ask for Node's own modules with require().
    banner: {
      js: "#!/usr/bin/env node\nimport{createRequire as __cr}from'node:module';const require=__cr(import.meta.url);",
    },
  });
  const parts = Object.values(metafile.outputs).flatMap(({ inputs }) => Object.entries(inputs));
  return [...new Set(parts.filter(([, { bytesInOutput }]) => bytesInOutput > 0).map(([file]) => file))].sort();
}
