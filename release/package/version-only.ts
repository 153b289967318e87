import { readFile } from 'node:fs/promises';
import type { Plugin } from 'esbuild';

/** Of our package.json the sources read the version alone; the rest would only grow the bundle. */
export const versionOnly: Plugin = {
  name: 'version-only',
  setup(build) {
    build.onLoad({ filter: /\/package\.json$/ }, async ({ path }) => {
      const { name, version } = JSON.parse(await readFile(path, 'utf8')) as { name: string; version: string };
      return { contents: JSON.stringify({ name, version }), loader: 'json' };
    });
  },
};
