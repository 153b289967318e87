import { addresses, clusterName, stateDir } from './layout.ts';

/** How Pods are connected: the one place that a network with policies would change. */
export const cni = {
  binDir: '/usr/lib/cni',
  configDir: `${stateDir}/cni`,
  /** Files of the configuration directory, in place before containerd starts, as it misses files renamed into place. */
  files: {
    '10-bridge.conflist': JSON.stringify({
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
  } as Record<string, string>,
};
