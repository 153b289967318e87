import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { Command, Option } from 'commander';
import { binDir } from './binaries.ts';
import { clusterDown, ensureCluster, loadImage } from './cluster.ts';
import { cacheDir, kubeconfigPath, stateDir } from './layout.ts';
import type { ClusterOptions } from './options.ts';
import { createProgress } from './progress.ts';
import type { ClusterStatus } from './status.ts';
import { clusterStatus } from './status.ts';

const progress = createProgress(process.stderr);
const print = (text: string): void => {
  process.stdout.write(`${text}\n`);
};

function table({ parts }: ClusterStatus): string {
  const rows = parts.map(({ name, healthy, detail, pid, rssBytes }) => [
    name,
    healthy ? 'yes' : 'NO',
    pid === undefined ? '' : String(pid),
    rssBytes === undefined ? '' : `${Math.round(rssBytes / 1024 / 1024)} MiB`,
    detail,
  ]);
  const all = [['PART', 'HEALTHY', 'PID', 'MEMORY', 'DETAIL'], ...rows];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  return all
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('   ')
        .trimEnd(),
    )
    .join('\n');
}

const program = new Command('cluster')
  .description(
    `A real single-node Kubernetes on this machine, without Docker and without a way out of it. It is disposable: "down"
removes it with all that is in it (${stateDir}). Built binaries and images stay in
${cacheDir()}; remove that directory to have them built anew.`,
  )
  .showHelpAfterError();

program
  .command('up')
  .description('start the cluster, or repair it, and wait until it is ready; does nothing when it is')
  .option('--network-policy', 'enforce NetworkPolicies, by Cilium; replaces a cluster that does not, and the other way')
  .action(async ({ networkPolicy = false }: ClusterOptions) => {
    const start = performance.now();
    const { kubeconfig } = await ensureCluster(progress, { networkPolicy });
    print(`Cluster ready after ${((performance.now() - start) / 1000).toFixed(1)}s; KUBECONFIG=${kubeconfig}`);
  });

program
  .command('down')
  .description('remove the cluster and everything that it left on the machine')
  .action(async () => {
    print((await clusterDown(progress)) ? 'Cluster removed' : 'There is no cluster');
  });

program
  .command('status')
  .description('show the parts of the cluster; exits with 0 only when all are healthy')
  .addOption(new Option('-o, --output <format>', 'how to print').choices(['table', 'json']).default('table'))
  .action(async ({ output }: { output: string }) => {
    const status = await clusterStatus();
    print(output === 'json' ? JSON.stringify(status, null, 2) : table(status));
    process.exitCode = status.healthy ? 0 : 1;
  });

program
  .command('env')
  .description('print shell commands that set KUBECONFIG and PATH: eval "$(npm run --silent cluster -- env)"')
  .action(() => {
    if (!existsSync(kubeconfigPath)) throw new Error('there is no cluster; start one with: npm run cluster -- up');
    print(`export KUBECONFIG=${kubeconfigPath}\nexport PATH=${binDir()}:$PATH`);
  });

program
  .command('load')
  .description('import an image archive (OCI or Docker format) into the cluster')
  .argument('<archive>', 'path of the tar file')
  .action(async (archive: string) => {
    await loadImage(resolve(archive));
    print(`Loaded ${archive}`);
  });

try {
  await program.parseAsync();
} catch (error) {
  process.stderr.write(`cluster: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
