import { setTimeout as sleep } from 'node:timers/promises';
import type { KubeClient } from '../../operator/kube/client.ts';
import {
  AGENT_RUNS, INSTANCES, MUTATING_WEBHOOKS, POLICIES, VALIDATING_WEBHOOKS,
} from '../../operator/kube/resources.ts'; // prettier-ignore
import type { Cluster } from '../platform/kubectl.ts';
import { SYSTEM } from '../platform/install.ts';
import { CONFIGURATION } from '../support/admission.ts';
import { must } from '../support/must.ts';
import { agentRun, instance, policy } from '../support/objects.ts';
import { percentile, table } from './statistics.ts';

const NAMESPACE = 'bench-webhook';
const FLOOR = 'bench-floor';
/** The label by which the API server leaves the webhook out: so both kinds of creations share every second. */
const BARE = 'sympozium.ai/bench-bare';
/** Creations at the start that fill caches and compile code. */
const WARM_UP = 200;

/**
 * What the installed webhook adds to the creation of an AgentRun: two creations in turn, one with and one without it, each
 * at `rate` a second, whatever the answers take. The controller is away meanwhile, because nobody wants to wait for the runs.
 */
export async function benchWebhook(cluster: Cluster, kube: KubeClient, rate: number, seconds: number): Promise<string> {
  const controllers = (count: number) =>
    cluster.kubectl(['scale', 'deployment/sympozium-controller', '-n', SYSTEM, `--replicas=${count}`]);
  try {
    await prepare(cluster, kube);
    await controllers(0);
    await cluster.kubectl([
      ...['wait', 'pod', '-n', SYSTEM, '-l', 'sympozium.ai/component=controller'],
      ...['--for=delete', '--timeout=60s'],
    ]);
    return report(await createBoth(kube, rate, seconds), rate);
  } finally {
    await leaveOut(kube, undefined);
    await cluster.kubectl(['delete', 'namespace', NAMESPACE, '--ignore-not-found', '--wait=false']);
    await cluster.kubectl(['delete', 'sympoziumpolicy', FLOOR, '-n', SYSTEM, '--ignore-not-found']);
    await controllers(2);
  }
}

async function createBoth(kube: KubeClient, rate: number, seconds: number) {
  const samples = { with: [] as number[], without: [] as number[] };
  const pending: Promise<void>[] = [];
  const start = performance.now();
  for (let index = -WARM_UP; index < rate * seconds * 2; index += 1) {
    const due = start + ((index + WARM_UP) * 500) / rate;
    await sleep(Math.max(0, due - performance.now()));
    const bare = index % 2 !== 0;
    const sample = create(kube, `run-${index + WARM_UP}`, bare).then((ms) => {
      if (index >= 0) samples[bare ? 'without' : 'with'].push(ms);
    });
    pending.push(sample);
  }
  await Promise.all(pending);
  return samples;
}

/** Everything that a rule may have to look at: an own policy, a floor, an instance. */
async function prepare(cluster: Cluster, kube: KubeClient): Promise<void> {
  await cluster.kubectl(['delete', 'namespace', NAMESPACE, '--ignore-not-found']);
  await cluster.kubectl(['create', 'namespace', NAMESPACE]);
  const own = policy('default', { template: 'Default', models: { allowed: ['openai/*'] } });
  const floor = policy(FLOOR, { enforce: { namespaceSelector: {} }, deniedTools: ['write_file'] });
  const agent = instance();
  await kube.apply(POLICIES, { ...own, metadata: { name: 'default', namespace: NAMESPACE } });
  await kube.apply(POLICIES, { ...floor, metadata: { name: FLOOR, namespace: SYSTEM } });
  await kube.apply(INSTANCES, { ...agent, metadata: { name: agent.metadata.name, namespace: NAMESPACE } });
  await leaveOut(kube, { matchExpressions: [{ key: BARE, operator: 'DoesNotExist' }] });
}

/** Narrows the webhook to what a selector chooses; without one, it is asked about everything again. */
async function leaveOut(kube: KubeClient, objectSelector: object | undefined): Promise<void> {
  for (const resource of [MUTATING_WEBHOOKS, VALIDATING_WEBHOOKS]) {
    const found = must(await kube.get(resource, { name: CONFIGURATION }));
    const webhooks = (found.webhooks ?? []).map((one) => ({ ...one, objectSelector: objectSelector ?? {} }));
    await kube.replace(resource, { ...found, webhooks });
  }
}

async function create(kube: KubeClient, name: string, bare: boolean): Promise<number> {
  const metadata = { name, namespace: NAMESPACE, ...(bare ? { labels: { [BARE]: '' } } : {}) };
  const start = performance.now();
  const { metadata: made } = await kube.create(AGENT_RUNS, agentRun(name, {}, { metadata }));
  const taken = performance.now() - start;
  if ((made.annotations === undefined) !== bare)
    throw new Error(`the webhook ${bare ? 'was' : 'was not'} asked about ${name}`);
  return taken;
}

function report(samples: Readonly<Record<'with' | 'without', readonly number[]>>, rate: number): string {
  const quantiles = [0.5, 0.9, 0.99];
  const ms = (value: number) => `${value.toFixed(1)} ms`;
  const row = (title: string, of: (p: number) => string, count: string) => [title, count, ...quantiles.map(of)];
  const at = (kind: 'with' | 'without') => (p: number) => percentile(samples[kind], p);
  return table(
    [`${rate} creations a second`, 'n', ...quantiles.map((p) => `p${p * 100}`)],
    [
      row('without the webhook', (p) => ms(at('without')(p)), String(samples.without.length)),
      row('with the webhook', (p) => ms(at('with')(p)), String(samples.with.length)),
      row('added', (p) => ms(at('with')(p) - at('without')(p)), ''),
      row('ratio', (p) => `${(at('with')(p) / at('without')(p)).toFixed(2)} ×`, ''),
    ],
  );
}
