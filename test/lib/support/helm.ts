import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { Manifest } from '../../../lib/distribution.ts';
import { binDir } from '../../cluster/binaries.ts';
import { parseManifests } from './manifests.ts';

const chart = join(import.meta.dirname, '../../../charts/sympozium');

/** The real Helm: of CLUSTER_BIN, of the local cluster's cache, or of the PATH. */
function helmBinary(): string {
  const { CLUSTER_BIN, PATH = '' } = process.env;
  const directories = [CLUSTER_BIN ?? binDir(), ...PATH.split(delimiter)];
  const found = directories.map((directory) => join(directory, 'helm')).find((path) => existsSync(path));
  if (found === undefined) {
    throw new Error('helm is missing: put it on the PATH, or run `npm test`, which builds it for the local cluster');
  }
  return found;
}

/** What a Helm command gave. */
export interface HelmResult {
  readonly ok: boolean;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs Helm on the chart, with the chart's path put after `command`. */
export function helm(command: readonly string[], ...args: readonly string[]): HelmResult {
  const { status, stdout, stderr } = spawnSync(helmBinary(), [...command, chart, ...args], { encoding: 'utf8' });
  return { ok: status === 0, stdout, stderr };
}

/** The objects that an installation would create. Values are given as `path=json`. */
export function render(namespace: string, values: Readonly<Record<string, unknown>> = {}): Manifest[] {
  const { ok, stdout, stderr } = template(namespace, values);
  if (!ok) throw new Error(stderr);
  return parseManifests(stdout);
}

/** `helm template`, with values by path. */
export function template(namespace: string, values: Readonly<Record<string, unknown>>): HelmResult {
  return helm(['template', 'sympozium'], '--namespace', namespace, ...settings(values));
}

/** Flags that set values by path. */
export const settings = (values: Readonly<Record<string, unknown>>): string[] =>
  Object.entries(values).flatMap(([path, value]) => ['--set-json', `${path}=${JSON.stringify(value)}`]);
