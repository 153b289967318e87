import type { Plugin } from 'esbuild';

/**
 * Makes the bundles get Node's HTTP modules with require() instead of import. An import reads every export, and one of
 * `node:http`'s is a getter that loads Node's whole fetch implementation: 20 ms of a process that lives for a second.
 */
export const requiredBuiltins: Plugin = {
  name: 'required-builtins',
  setup(build) {
    build.onResolve({ filter: /^node:https?$/ }, ({ path }) => ({ path, namespace: 'required-builtin' }));
    build.onLoad({ filter: /.*/, namespace: 'required-builtin' }, ({ path }) => ({
      // The name without its prefix is not caught again, and stays a call of require().
      contents: `module.exports = require('${path.replace('node:', '')}');`,
      loader: 'js',
    }));
  },
};
