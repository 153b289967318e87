import { cilium } from './cilium.ts';
import type { Component } from './components.ts';
import { addresses, clusterName, stateDir } from './layout.ts';
import type { ClusterOptions } from './options.ts';
import type { Progress } from './progress.ts';

/** A way to connect Pods. */
export interface Network {
  /** The folder of the plugins that containerd calls. */
  readonly binDir: string;
  /** Environment of the plugins. */
  readonly env: Readonly<Record<string, string>>;
  /** Files by their path below the state directory; the plugin's configuration is below {@link configDir}. */
  readonly files: () => Readonly<Record<string, string>>;
  /** Programs that run beside the cluster's own. */
  readonly components: () => readonly Component[];
  /** Files and folders of manifests that they need. */
  readonly manifests: () => readonly string[];
  /** Brings about what the machine lacks, before anything starts. */
  readonly ensure: (progress: Progress) => Promise<void>;
  /** Sets up state directory and network namespace, before anything starts; does no harm a second time. */
  readonly prepare: () => Promise<void>;
}

/** The folder in which containerd looks for the plugin's configuration, below the state directory. */
export const configDir = 'cni';

/** Connects Pods by a bridge, without a program of its own; knows no NetworkPolicies. */
const bridge: Network = {
  binDir: '/usr/lib/cni',
  env: {},
  // In place before containerd starts, as it misses files renamed into place.
  files: () => ({
    [`${configDir}/10-bridge.conflist`]: JSON.stringify({
      cniVersion: '0.4.0',
      name: clusterName,
      plugins: [
        {
          type: 'bridge',
          bridge: 'cni0',
          isGateway: true,
          // Lets Pods reach the host's end of the link, which knows no way back to their own addresses.
          ipMasq: true,
          hairpinMode: true,
          ipam: {
            type: 'host-local',
            dataDir: `${stateDir}/cni-addresses`,
            ranges: [[{ subnet: addresses.nodePods }]],
            routes: [{ dst: '0.0.0.0/0' }],
          },
        },
        { type: 'portmap', capabilities: { portMappings: true } },
      ],
    }),
  }),
  components: () => [],
  manifests: () => [],
  ensure: () => Promise.resolve(),
  prepare: () => Promise.resolve(),
};

/** The network of a cluster that is started with these options. */
export const networkOf = ({ networkPolicy = false }: ClusterOptions): Network => (networkPolicy ? cilium : bridge);
