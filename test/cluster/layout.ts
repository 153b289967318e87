import { homedir } from 'node:os';
import { join } from 'node:path';

/** Where everything of the running cluster lives; short, because the paths of unix sockets must be. */
export const stateDir = '/var/lib/sympozium-cluster';

/** The admin kubeconfig of the running cluster. */
export const kubeconfigPath = `${stateDir}/admin.kubeconfig`;

/** The API server's audit log: one JSON object a line, at Metadata level. */
export const auditLogPath = `${stateDir}/audit.log`;

/** The directory with one log file per component. */
export const logDir = `${stateDir}/log`;

/** The directory with certificates and keys, made anew for every cluster. */
export const pkiDir = `${stateDir}/pki`;

/** containerd's socket, for ctr and the kubelet. */
export const containerdSocket = `${stateDir}/containerd/containerd.sock`;

/** The cluster's name wherever the machine shows one: network namespace, cgroup, CNI network, kubeconfig context. */
export const clusterName = 'sympozium-cluster';

/** The name of the only node. */
export const nodeName = 'node';

/** Addresses of the cluster; all of them are inside `range`, which the host never routes anywhere else. */
export const addresses = {
  range: '10.234.0.0/16',
  pods: '10.234.0.0/17',
  nodePods: '10.234.0.0/24',
  services: '10.234.128.0/20',
  apiService: '10.234.128.1',
  dnsService: '10.234.128.10',
  host: '10.234.255.1',
  node: '10.234.255.2',
  gateway: '10.234.255.5',
  outside: '10.234.255.6',
} as const;

/** The address at which Pods reach servers that run on the host. */
export const hostAddress: string = addresses.host;

/** The cache of built binaries and images, which outlives clusters and checkouts. */
export function cacheDir(): string {
  const { SYMPOZIUM_CACHE, XDG_CACHE_HOME } = process.env;
  return SYMPOZIUM_CACHE ?? join(XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'sympozium');
}
