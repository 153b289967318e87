import { cgroupRoot } from './cgroups.ts';
import { configDir, networkOf } from './cni.ts';
import { gvisor } from './gvisor.ts';
import { kubeconfigOf } from './kubeconfig.ts';
import { addresses, containerdSocket, nodeName, pkiDir, stateDir } from './layout.ts';
import { optionsFile, type ClusterOptions } from './options.ts';
import { pauseTag } from './tags.ts';

const containerd = (options: ClusterOptions): string => `version = 2
root = "${stateDir}/containerd/root"
state = "${stateDir}/containerd/state"
[grpc]
  address = "${containerdSocket}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${pauseTag}"
  disable_apparmor = true
  # The machine may not let us lower a process's likelihood of being ended for lack of memory.
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    default_runtime_name = "runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        Root = "${stateDir}/containerd/runc"
        SystemdCgroup = false
${gvisor.containerd}  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "${networkOf(options).binDir}"
    conf_dir = "${stateDir}/${configDir}"
`;

const auditPolicy = {
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: ['RequestReceived'],
  rules: [{ level: 'None', nonResourceURLs: ['/*'] }, { level: 'Metadata' }],
};

const kubelet = {
  apiVersion: 'kubelet.config.k8s.io/v1beta1',
  kind: 'KubeletConfiguration',
  address: addresses.node,
  healthzBindAddress: addresses.node,
  authentication: {
    anonymous: { enabled: false },
    webhook: { enabled: true },
    x509: { clientCAFile: `${pkiDir}/ca.crt` },
  },
  authorization: { mode: 'Webhook' },
  tlsCertFile: `${pkiDir}/kubelet.crt`,
  tlsPrivateKeyFile: `${pkiDir}/kubelet.key`,
  cgroupDriver: 'cgroupfs',
  cgroupRoot,
  failCgroupV1: false,
  failSwapOn: false,
  containerRuntimeEndpoint: `unix://${containerdSocket}`,
  clusterDomain: 'cluster.local',
  clusterDNS: [addresses.dnsService],
  resolvConf: `${stateDir}/resolv.conf`,
  podLogsDir: `${stateDir}/pod-logs`,
  volumePluginDir: `${stateDir}/kubelet/plugins`,
  // Images come from archives and could not be fetched again.
  imageGCHighThresholdPercent: 100,
  evictionHard: { 'memory.available': '100Mi', 'nodefs.available': '1%', 'imagefs.available': '1%' },
  kubeAPIQPS: 200,
  kubeAPIBurst: 400,
  maxPods: 250,
};

const proxy = {
  apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
  kind: 'KubeProxyConfiguration',
  mode: 'nftables',
  clusterCIDR: addresses.pods,
  hostnameOverride: nodeName,
  healthzBindAddress: `${addresses.node}:10256`,
  clientConnection: { kubeconfig: kubeconfigOf('proxy') },
  conntrack: { maxPerCore: 0 },
};

const json = (value: unknown): string => JSON.stringify(value, null, 2);

/** The components' configuration files by their path below the state directory; JSON is YAML to their readers. */
export const configFiles = (options: ClusterOptions): Readonly<Record<string, string>> => ({
  [optionsFile]: json({ networkPolicy: options.networkPolicy ?? false }),
  'containerd.toml': containerd(options),
  'runsc.toml': gvisor.options(),
  'audit-policy.yaml': json(auditPolicy),
  'kubelet.yaml': json(kubelet),
  'proxy.yaml': json(proxy),
  // No name servers from outside: nothing outside can be reached.
  'resolv.conf': '',
  ...networkOf(options).files(),
});
