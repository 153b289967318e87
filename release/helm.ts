import { existsSync } from 'node:fs';
import { cp, mkdir, readdir, utimes } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { binDir } from '../test/cluster/index.ts';
import { program } from './program.ts';

/** Helm: the one that was built for the local cluster, because its version is pinned, or else the one of the PATH. */
function helmBinary(): string {
  const { CLUSTER_BIN, PATH = '' } = process.env;
  const directories = [CLUSTER_BIN ?? binDir(), ...PATH.split(delimiter)];
  const found = directories.map((directory) => join(directory, 'helm')).find((path) => existsSync(path));
  if (found === undefined) throw new Error('helm is missing: put it on the PATH, or run `npm test`, which builds it');
  return found;
}

/**
 * Packages a chart into `directory`, and gives the name of the file there. Helm sorts the entries and keeps their times,
 * so with one time for all of them the same chart gives the same bytes.
 *
 * @param scratch a folder that doesn't exist yet
 */
export async function packageChart(chart: string, directory: string, scratch: string, time: Date): Promise<string> {
  await cp(chart, scratch, { recursive: true });
  for (const path of await readdir(scratch, { recursive: true })) await utimes(join(scratch, path), time, time);
  await mkdir(directory, { recursive: true });
  await program(directory, helmBinary(), 'package', scratch, '--destination', directory);
  const [file] = (await readdir(directory)).filter((name) => name.endsWith('.tgz'));
  if (file === undefined) throw new Error(`helm package wrote no archive into ${directory}`);
  return file;
}
