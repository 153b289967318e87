import { readFileSync } from 'node:fs';
import { stateDir } from './layout.ts';

/** What a cluster can be asked for. */
export interface ClusterOptions {
  /**
   * Whether NetworkPolicies are enforced, by Cilium in place of the bridge plugin.
   * @default false: they are accepted and nothing more
   */
  readonly networkPolicy?: boolean;
}

/** The file, below the state directory, that says what the cluster there was asked for. */
export const optionsFile = 'options.json';

/** What the cluster of this machine was asked for; nothing where there is none. */
export function runningOptions(): ClusterOptions {
  try {
    return JSON.parse(readFileSync(`${stateDir}/${optionsFile}`, 'utf8')) as ClusterOptions;
  } catch {
    return {};
  }
}
