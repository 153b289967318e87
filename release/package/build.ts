import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';
import { buildCli } from './cli.ts';
import { declarations } from './declarations.ts';
import { versionOnly } from './version-only.ts';

const ROOT = join(import.meta.dirname, '..', '..');

/** Where `exports` of package.json points. */
export const PACKAGE_DIRECTORY = join(ROOT, 'build', 'package');

/** The two kinds of modules that Node knows: folder, esbuild's name for it, and the `type` that package.json would say. */
const FORMATS = [
  { folder: 'esm', format: 'esm', type: 'module' },
  { folder: 'cjs', format: 'cjs', type: 'commonjs' },
] as const;

/**
 * Builds what users of the npm package import: `esm/` and `cjs/`, each with one file of JavaScript, all types, and a
 * package.json that says which modules these are; and the command line. The same sources always give the same bytes.
 *
 * @throws Error that lists what the compiler says, when the types are not right
 */
export async function buildPackage(directory: string = PACKAGE_DIRECTORY): Promise<void> {
  const types = declarations(join(ROOT, 'lib', 'index.ts'));
  await rm(directory, { recursive: true, force: true });
  for (const { folder, format, type } of FORMATS) {
    const write = async (name: string, text: string) => {
      const path = join(directory, folder, name);
      await mkdir(join(path, '..'), { recursive: true });
      await writeFile(path, text);
    };
    await build({
      entryPoints: [join(ROOT, 'lib', 'index.ts')],
      outfile: join(directory, folder, 'index.js'),
      absWorkingDir: ROOT,
      bundle: true,
      format,
      platform: 'node',
      target: 'node20',
      // There must be one `Construct` in a program, so these stay packages of the user.
      packages: 'external',
      plugins: [versionOnly],
      logLevel: 'error',
    });
    for (const [name, text] of types) await write(name, text);
    await write('package.json', `${JSON.stringify({ type })}\n`);
  }
  await buildCli(directory);
}
