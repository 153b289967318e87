import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Shipped } from './sbom.ts';

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

const manifest = async (directory: string): Promise<Manifest> =>
  JSON.parse(await readFile(join(directory, 'package.json'), 'utf8')) as Manifest;

const reference = ({ name, version }: Manifest): string => `${name}@${version}`;

/**
 * Which packages reach users.
 *
 * @param root folder of the repository
 * @param bundled the files that the bundles of the image are made from, relative to the working directory
 * @param cli the files that the command line of the npm package is made from, likewise
 */
export async function shipped(root: string, bundled: readonly string[], cli: readonly string[]): Promise<Shipped> {
  const { dependencies, peerDependencies } = await manifest(root);
  const installed = Object.keys({ ...dependencies, ...peerDependencies }).map((name) =>
    join(root, 'node_modules', name),
  );
  // A package may hold another version of a package inside, so the last folder counts.
  const packages = (files: readonly string[]) =>
    new Set(files.flatMap((file) => /^.*\bnode_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0] ?? []));
  const references = async (directories: readonly string[]) =>
    [...new Set(await Promise.all(directories.map(async (directory) => reference(await manifest(directory)))))].sort();
  return {
    npm: await references(installed),
    image: await references([...packages(bundled)]),
    cli: await references([...packages(cli)]),
  };
}
