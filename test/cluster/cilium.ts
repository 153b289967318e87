import { existsSync } from 'node:fs';
import { chmod, cp, mkdir, readdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { unifiedCgroup } from './cgroups.ts';
import { configDir, type Network } from './cni.ts';
import { flags, type Component } from './components.ts';
import { kubeconfigOf } from './kubeconfig.ts';
import { addresses, clusterName, nodeName, stateDir } from './layout.ts';
import { inNetwork } from './network.ts';
import { ensurePackages } from './packages.ts';
import { run } from './run.ts';
import { ensureTools, tool, type Tools } from './tools.ts';

const MODULE = 'github.com/cilium/cilium';
const CRDS = 'pkg/k8s/apis/cilium.io/client/crds';

/** The agent, the plugin that it is called by, the programs that it compiles for the kernel, and its kinds. */
const tools: Tools = {
  folder: 'cilium',
  module: MODULE,
  programs: { 'cilium-agent': `${MODULE}/daemon`, 'cilium-cni': `${MODULE}/plugins/cilium-cni` },
  files: { bpf: 'bpf', 'crds-v2': `${CRDS}/v2`, 'crds-v2alpha1': `${CRDS}/v2alpha1` },
  patched: true,
  tags: 'osusergo',
};

const packages = ['bpftool', 'clang-19', 'iproute2'];

const dir = `${stateDir}/cilium`;
const pluginDir = `${dir}/cni-bin`;
const bpfFilesystem = `${dir}/bpffs`;
/** What the agent sees as /run: so nothing of it is left in the machine's own. */
const runDir = `${dir}/run`;
const socket = `${runDir}/cilium/cilium.sock`;
const pluginLog = `${runDir}/cilium/cilium-cni.log`;

// Cilium 1.15 was made with clang 17; clang 19 counts these two among the warnings that its -Werror makes errors.
const clang = `#!/bin/sh
exec /usr/bin/clang-19 "$@" -Wno-shorten-64-to-32 -Wno-unused-label
`;

/** Network policies and nothing else: no replacement of kube-proxy, no operator, no Envoy, no tunnels. */
const agentFlags = (): string[] =>
  flags({
    'k8s-kubeconfig-path': kubeconfigOf('cilium'),
    'lib-dir': `${dir}/lib`,
    'bpf-root': bpfFilesystem,
    'cgroup-root': unifiedCgroup(),
    'cluster-name': 'default',
    'enable-ipv4': 'true',
    'enable-ipv6': 'false',
    ipam: 'kubernetes',
    'k8s-require-ipv4-pod-cidr': 'true',
    'routing-mode': 'native',
    'ipv4-native-routing-cidr': addresses.range,
    'enable-ipv4-masquerade': 'false',
    'install-iptables-rules': 'false',
    'kube-proxy-replacement': 'false',
    'enable-policy': 'default',
    'enable-k8s-networkpolicy': 'true',
    // Without it an ipBlock never matches the address of the node, which is the API server's.
    'policy-cidr-match-mode': 'nodes',
    'identity-allocation-mode': 'crd',
    'enable-well-known-identities': 'false',
    'enable-l7-proxy': 'false',
    'disable-envoy-version-check': 'true',
    'enable-hubble': 'false',
    'enable-health-checking': 'false',
    'enable-endpoint-health-checking': 'false',
    'enable-bandwidth-manager': 'false',
    'enable-l2-neigh-discovery': 'false',
    'enable-bpf-clock-probe': 'false',
    'bpf-map-dynamic-size-ratio': '0.0025',
    'preallocate-bpf-maps': 'false',
    'cni-exclusive': 'false',
    'cni-log-file': pluginLog,
  });

// In a mount namespace of its own, where kernel.*, which is the whole machine's, can't be written. What is pinned in the
// BPF file system is outside of it, and outlives the agent.
const wrapper = [
  'unshare',
  '--mount',
  '--propagation',
  'private',
  'sh',
  '-ec',
  `mount --bind ${runDir} /run
mount --bind /proc/sys/kernel /proc/sys/kernel
mount -o remount,ro,bind /proc/sys/kernel
exec "$@"`,
  'sh',
];

const agent = (): Component => ({
  name: 'cilium-agent',
  command: [tool(tools, 'cilium-agent'), ...agentFlags()],
  wrapper,
  env: { PATH: `${dir}/bin`, K8S_NODE_NAME: nodeName },
  health: `${socket}:/v1/healthz`,
  needsApi: true,
});

// What Cilium would do by iptables. The mark tells its programs what comes from the node itself, such as a kubelet's
// probe, which no policy stops. And as the bridge plugin's ipMasq: the host knows no way back to the Pods' addresses.
const rules = `table ip ${clusterName} {}
flush table ip ${clusterName}
table ip ${clusterName} {
  chain output {
    type filter hook output priority filter
    meta mark set meta mark & 0xfffff0ff | 0xc00
  }
  chain postrouting {
    type nat hook postrouting priority srcnat
    ip saddr ${addresses.pods} ip daddr ${addresses.host} masquerade
  }
}
`;

async function prepare(): Promise<void> {
  await mkdir(pluginDir, { recursive: true });
  for (const name of await readdir('/usr/lib/cni')) await link(`/usr/lib/cni/${name}`, name);
  await link(tool(tools, 'cilium-cni'), 'cilium-cni');
  await chmod(`${dir}/bin/clang`, 0o755);
  for (const path of [runDir, bpfFilesystem]) await mkdir(path, { recursive: true });
  // A copy, as the agent writes the features of the kernel next to its sources.
  if (!existsSync(`${dir}/lib/bpf`)) await cp(tool(tools, 'bpf'), `${dir}/lib/bpf`, { recursive: true });
  await run('sh', ['-c', `mountpoint -q ${bpfFilesystem} || mount -t bpf bpf ${bpfFilesystem}`]);
  await run(inNetwork[0], [inNetwork[1], 'nft', '-f', `${dir}/rules.nft`]);
}

const link = (target: string, name: string): Promise<void> =>
  symlink(target, join(pluginDir, name)).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  });

/** Cilium: connects Pods by routes and enforces NetworkPolicies in the kernel. kube-proxy stays. */
export const cilium: Network = {
  binDir: pluginDir,
  env: { CILIUM_SOCK: socket },
  files: () => ({
    [`${configDir}/10-cilium.conflist`]: JSON.stringify({
      cniVersion: '0.3.1',
      name: clusterName,
      plugins: [{ type: 'cilium-cni', 'log-file': pluginLog }],
    }),
    'cilium/bin/clang': clang,
    'cilium/rules.nft': rules,
  }),
  components: () => [agent()],
  // Its kinds, which elsewhere its operator applies.
  manifests: () => [tool(tools, 'crds-v2'), tool(tools, 'crds-v2alpha1')],
  ensure: async (progress) => {
    await ensurePackages(progress, packages);
    await ensureTools(tools, progress);
  },
  prepare,
};
