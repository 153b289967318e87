import { binary } from './binaries.ts';
import { networkOf } from './cni.ts';
import { gvisor } from './gvisor.ts';
import { addresses, auditLogPath, containerdSocket, nodeName, pkiDir, stateDir } from './layout.ts';
import { kubeconfigOf } from './kubeconfig.ts';
import type { ClusterOptions } from './options.ts';

/** A program of the cluster: its command, where it says that it is well, and whether it needs the API server first. */
export interface Component {
  name: string;
  command: string[];
  /** What is run in its place and becomes it, given its command. */
  wrapper?: string[];
  /** Environment beside the usual; the folders of PATH come before the usual ones. */
  env?: Readonly<Record<string, string>>;
  /** An http(s) URL, the path of a unix socket, or `<socket>:<path of a request>`; none where a running process is all that can be known. */
  health?: string;
  needsApi: boolean;
}

/** Flags as Kubernetes' programs take them, and Cilium's. */
export const flags = (values: Record<string, string>): string[] =>
  Object.entries(values).map(([key, value]) => `--${key}=${value}`);

/** kubeconfig flags of the components that also answer requests themselves. */
const delegated = (user: 'controller-manager' | 'scheduler'): Record<string, string> => ({
  kubeconfig: kubeconfigOf(user),
  'authentication-kubeconfig': kubeconfigOf(user),
  'authorization-kubeconfig': kubeconfigOf(user),
  'bind-address': addresses.node,
  'leader-elect': 'false',
  // Client-side limits are made for fleets; here they would only make Jobs wait.
  'kube-api-qps': '200',
  'kube-api-burst': '400',
});

const etcd = (): string[] =>
  flags({
    'data-dir': `${stateDir}/etcd`,
    'listen-client-urls': 'http://127.0.0.1:2379',
    'advertise-client-urls': 'http://127.0.0.1:2379',
    'listen-peer-urls': 'http://127.0.0.1:2380',
    'listen-metrics-urls': `http://${addresses.node}:2381`,
    'log-level': 'warn',
    // The cluster is disposable: nothing needs to survive the loss of power.
    'unsafe-no-fsync': 'true',
  });

const apiServer = (): string[] =>
  flags({
    'etcd-servers': 'http://127.0.0.1:2379',
    'bind-address': addresses.node,
    'advertise-address': addresses.node,
    'secure-port': '6443',
    'service-cluster-ip-range': addresses.services,
    'tls-cert-file': `${pkiDir}/apiserver.crt`,
    'tls-private-key-file': `${pkiDir}/apiserver.key`,
    'client-ca-file': `${pkiDir}/ca.crt`,
    'kubelet-client-certificate': `${pkiDir}/apiserver-kubelet.crt`,
    'kubelet-client-key': `${pkiDir}/apiserver-kubelet.key`,
    'kubelet-certificate-authority': `${pkiDir}/ca.crt`,
    // Otherwise kubectl logs and exec would look the node's name up in DNS.
    'kubelet-preferred-address-types': 'InternalIP',
    'service-account-key-file': `${pkiDir}/tokens.pub`,
    'service-account-signing-key-file': `${pkiDir}/tokens.key`,
    'service-account-issuer': 'https://kubernetes.default.svc',
    'authorization-mode': 'Node,RBAC',
    'enable-admission-plugins': 'NodeRestriction',
    'allow-privileged': 'true',
    'requestheader-client-ca-file': `${pkiDir}/ca.crt`,
    'requestheader-allowed-names': 'front-proxy-client',
    'requestheader-username-headers': 'X-Remote-User',
    'requestheader-group-headers': 'X-Remote-Group',
    'requestheader-extra-headers-prefix': 'X-Remote-Extra-',
    'proxy-client-cert-file': `${pkiDir}/front-proxy.crt`,
    'proxy-client-key-file': `${pkiDir}/front-proxy.key`,
    'audit-policy-file': `${stateDir}/audit-policy.yaml`,
    'audit-log-path': auditLogPath,
  });

const controllerManager = (): string[] =>
  flags({
    ...delegated('controller-manager'),
    'service-account-private-key-file': `${pkiDir}/tokens.key`,
    'root-ca-file': `${pkiDir}/ca.crt`,
    'cluster-signing-cert-file': `${pkiDir}/ca.crt`,
    'cluster-signing-key-file': `${pkiDir}/ca.key`,
    'use-service-account-credentials': 'true',
    'allocate-node-cidrs': 'true',
    'cluster-cidr': addresses.pods,
    'node-cidr-mask-size': '24',
  });

const kubelet = (): string[] =>
  flags({
    config: `${stateDir}/kubelet.yaml`,
    kubeconfig: kubeconfigOf('kubelet'),
    'hostname-override': nodeName,
    'node-ip': addresses.node,
    'root-dir': `${stateDir}/kubelet`,
    'cert-dir': `${stateDir}/kubelet/pki`,
  });

const localVolumes = (): string[] =>
  flags({ name: 'sympozium.ai/local-volumes', root: `${stateDir}/volumes`, kubeconfig: kubeconfigOf('local-volumes') });

/** The programs of the cluster in the order in which they start. */
export function components(options: ClusterOptions): Component[] {
  const network = networkOf(options);
  const part = (name: string, args: string[], health?: string): Component => ({
    name,
    command: [binary(name), ...args],
    ...(health === undefined ? {} : { health }),
    needsApi: true,
  });
  return [
    { ...part('etcd', etcd(), `http://${addresses.node}:2381/health`), needsApi: false },
    {
      name: 'containerd',
      command: ['/usr/bin/containerd', '--config', `${stateDir}/containerd.toml`],
      env: { ...network.env, PATH: gvisor.shimDir() },
      health: containerdSocket,
      needsApi: false,
    },
    { ...part('kube-apiserver', apiServer(), `https://${addresses.node}:6443/readyz`), needsApi: false },
    part('kube-controller-manager', controllerManager(), `https://${addresses.node}:10257/healthz`),
    part('kube-scheduler', flags(delegated('scheduler')), `https://${addresses.node}:10259/healthz`),
    part('kubelet', kubelet(), `http://${addresses.node}:10248/healthz`),
    part('kube-proxy', flags({ config: `${stateDir}/proxy.yaml` }), `http://${addresses.node}:10256/healthz`),
    part('local-volumes', localVolumes()),
    ...network.components(),
  ];
}
