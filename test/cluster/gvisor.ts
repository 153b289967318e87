import { stateDir } from './layout.ts';
import { ensureTools, hasTools, tool, toolDir, type Tools } from './tools.ts';
import type { Progress } from './progress.ts';

/** The user-space kernel. */
const runsc: Tools = {
  folder: 'gvisor',
  module: 'gvisor.dev/gvisor',
  programs: { runsc: 'gvisor.dev/gvisor/runsc' },
};

/** What containerd starts it by, from an older source: newer ones speak to containerd 2 only. */
const shim: Tools = {
  folder: 'containerd-shim',
  module: 'gvisor.dev/gvisor',
  programs: { 'containerd-shim-runsc-v1': 'gvisor.dev/gvisor/shim' },
  patched: true,
};

const optionsPath = `${stateDir}/runsc.toml`;

/** gVisor for containerd: the handler `runsc`, to which the RuntimeClass `gvisor` leads. */
export const gvisor = {
  /** The folder in which containerd looks for the shim. */
  shimDir: (): string => toolDir(shim),
  /** Part of containerd's configuration. */
  containerd: `    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runsc]
      runtime_type = "io.containerd.runsc.v1"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runsc.options]
        TypeUrl = "io.containerd.runsc.v1.options"
        ConfigPath = "${optionsPath}"
`,
  /** The shim's settings. systrap is the platform that needs neither KVM nor ptrace. */
  options: (): string => `binary_name = "${tool(runsc, 'runsc')}"
root = "${stateDir}/containerd/runsc"
[runsc_config]
platform = "systrap"
`,
};

/** Whether gVisor has been built. */
export const hasGvisor = (): boolean => hasTools(runsc) && hasTools(shim);

/** Builds gVisor where the cache lacks it. */
export async function ensureGvisor(progress: Progress): Promise<void> {
  await ensureTools(runsc, progress);
  await ensureTools(shim, progress);
}
