import { readFile } from 'node:fs/promises';
import { cpus, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Command } from 'commander';
import { KubeClient } from '../../operator/kube/client.ts';
import { fromKubeconfig } from '../../operator/kube/config.ts';
import { INSTANCES } from '../../operator/kube/resources.ts';
import { auditLogPath, createProgress, kubeconfigPath } from '../cluster/index.ts';
import { installControlPlane } from '../platform/install.ts';
import type { Cluster } from '../platform/kubectl.ts';
import { local } from '../platform/target.ts';
import { apiWrites, auditPosition, etcdWrites, processes } from './cost.ts';
import { measure, type Sample } from './measure.ts';
import { benchStart } from './start.ts';
import { percentile, table } from './statistics.ts';
import { instance, NAMESPACE, subjects } from './subjects.ts';
import { benchWebhook } from './webhook.ts';

const progress = createProgress(process.stderr);

new Command('bench')
  .description('Benchmarks on the local cluster. They print Markdown; docs/benchmarks.md keeps what was measured.')
  .showHelpAfterError()
  .addCommand(
    new Command('run')
      .description(
        'bare Pod, bare Job and AgentRun with the same containers, taking turns, against a model without latency',
      )
      .option('--runs <n>', 'measured executions of each', Number, 20)
      .option('--warm-up <n>', 'executions of each before that', Number, 3)
      .action(async ({ runs, warmUp }: { runs: number; warmUp: number }) => {
        process.stdout.write(`${await benchRun(runs, warmUp)}\n`);
      }),
  )
  .addCommand(
    new Command('start').description('start-up of Node and of each of our processes').action(async () => {
      process.stdout.write(`${await benchStart()}\n`);
    }),
  )
  .addCommand(
    new Command('webhook')
      .description('what the installed webhook adds to the creation of an AgentRun')
      .option('--rate <n>', 'creations a second, with and without the webhook each', Number, 50)
      .option('--seconds <n>', 'how long', Number, 60)
      .action(async ({ rate, seconds }: { rate: number; seconds: number }) => {
        const target = await local(progress);
        await installControlPlane(target, progress);
        const kube = await client();
        const result = await progress.step('Creating AgentRuns', () =>
          benchWebhook(target.cluster, kube, rate, seconds),
        );
        process.stdout.write(`${machine()}\n\n${result}\n`);
      }),
  )
  .parseAsync()
  .catch((error: unknown) => {
    process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  });

async function benchRun(runs: number, warmUp: number): Promise<string> {
  const target = await local(progress);
  const { cluster } = target;
  const tag = await installControlPlane(target, progress);
  await progress.step('Starting the model without latency', () => startModel(cluster, tag));
  const kube = await client();
  await kube.apply(INSTANCES, instance);
  const model = `/api/v1/namespaces/${NAMESPACE}/services/model:8080/proxy/`;
  const arrivals = async () => JSON.parse(await cluster.kubectl(['get', '--raw', model])) as Record<string, number>;

  const contenders = subjects(tag);
  const samples = new Map<string, Sample[]>(contenders.map(({ name }) => [name, []]));
  const round = async (title: string, count: number, keep: boolean) => {
    await progress.step(title, async (detail) => {
      for (let index = 0; index < count; index += 1) {
        detail(`${index + 1} of ${count}`);
        for (const subject of contenders) {
          const id = `bench-${subject.name.replaceAll(/\W/g, '').toLowerCase()}-${index + (keep ? 1000 : 0)}`;
          const sample = await measure(kube, subject, id, arrivals);
          if (keep) samples.get(subject.name)?.push(sample);
        }
      }
    });
  };
  await round('Warming up', warmUp, false);
  const before = {
    audit: await auditPosition(auditLogPath),
    etcd: etcdWrites(await metrics(cluster)),
    use: processes(),
  };
  await round('Measuring', runs, true);
  const writes = await apiWrites(auditLogPath, before.audit);
  const etcd = etcdWrites(await metrics(cluster)) - before.etcd;
  await cluster.kubectl(['delete', 'namespace', NAMESPACE, '--wait=false']);
  return [machine(), latencies(samples), costs(writes, runs, etcd), usage(before.use, runs)].join('\n\n');
}

async function startModel(cluster: Cluster, image: string): Promise<void> {
  const script = join(import.meta.dirname, 'model.mjs');
  const create = ['--dry-run=client', '-o', 'yaml'];
  await cluster.kubectl(['delete', 'namespace', NAMESPACE, '--ignore-not-found', '--wait']);
  await cluster.apply(await cluster.kubectl(['create', 'namespace', NAMESPACE, ...create]));
  await cluster.apply(
    await cluster.kubectl([
      'create',
      'configmap',
      'model',
      '-n',
      NAMESPACE,
      `--from-file=model.mjs=${script}`,
      ...create,
    ]),
  );
  const manifest = await readFile(join(import.meta.dirname, 'model.yaml'), 'utf8');
  await cluster.apply(manifest.replace('IMAGE', image));
  await cluster.kubectl(['wait', 'pod/model', '-n', NAMESPACE, '--for=condition=Ready', '--timeout=60s']);
}

const client = async () =>
  new KubeClient(await fromKubeconfig(kubeconfigPath), { fieldManager: 'bench', sleep: pause });

const metrics = (cluster: Cluster) => cluster.kubectl(['get', '--raw', '/metrics']);

const pause = async (ms: number, signal?: AbortSignal): Promise<void> => {
  await sleep(ms, undefined, { signal });
};

const machine = () =>
  `Machine: ${cpus().length} × ${cpus()[0]?.model.trim() ?? 'unknown'}, ${Math.round(totalmem() / 2 ** 30)} GiB, Linux ${release()}, Node ${process.version}.`;

function latencies(samples: ReadonlyMap<string, readonly Sample[]>): string {
  const of = (name: string, value: (sample: Sample) => number, p: number) =>
    percentile((samples.get(name) ?? []).map(value), p);
  const first = ({ firstRequest }: Sample) => firstRequest;
  const done = ({ succeeded }: Sample) => succeeded;
  const rows = [...samples].map(([name, taken]) => [
    name,
    String(taken.length),
    ...[of(name, first, 0.5), of(name, first, 0.9), of(name, done, 0.5), of(name, done, 0.9)].map((ms) => `${ms} ms`),
    `${(of(name, done, 0.5) / of('bare Pod', done, 0.5)).toFixed(2)} ×`,
  ]);
  const header = ['', 'n', 'first model request p50', 'p90', 'Succeeded p50', 'p90', 'p50 against a bare Pod'];
  return table(header, rows);
}

function costs(writes: ReadonlyMap<string, number>, runs: number, etcd: number): string {
  const total = [...writes.values()].reduce((sum, count) => sum + count, 0);
  const rows = [...writes].sort().map(([what, count]) => [what, (count / runs).toFixed(2)]);
  return [
    table(['API write of the control plane', 'per AgentRun'], [...rows, ['all', (total / runs).toFixed(2)]]),
    `etcd writes of the whole cluster in the same time, for one of each kind: ${(etcd / runs).toFixed(1)}.`,
  ].join('\n\n');
}

function usage(before: ReturnType<typeof processes>, runs: number): string {
  const after = processes();
  const names = [...new Set(after.map(({ name }) => name))].sort();
  const sum = (of: typeof after, name: string) =>
    of.filter((entry) => entry.name === name).reduce((seconds, { cpuSeconds }) => seconds + cpuSeconds, 0);
  const rows = names.map((name) => [
    name,
    `${((1000 * (sum(after, name) - sum(before, name))) / runs).toFixed(0)} ms`,
    after
      .filter((entry) => entry.name === name)
      .map(({ rssMiB }) => `${rssMiB.toFixed(0)} MiB`)
      .join(', '),
  ]);
  return table(['process', 'CPU per round', 'RSS of each replica'], rows);
}
