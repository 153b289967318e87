/** Builds what `npm pack` and `npm publish` put into the package; they call it by themselves. */
import { buildPackage, PACKAGE_DIRECTORY } from './build.ts';

try {
  await buildPackage();
  process.stderr.write(`Built the npm package in ${PACKAGE_DIRECTORY}\n`);
} catch (error) {
  process.stderr.write(`package: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
