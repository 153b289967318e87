import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { KubeClient } from '../../operator/kube/client.ts';
import {
  AGENT_RUNS, INSTANCES, MUTATING_WEBHOOKS, POLICIES, VALIDATING_WEBHOOKS,
} from '../../operator/kube/resources.ts'; // prettier-ignore
import { CONFIGURATION, registerWebhook } from '../support/admission.ts';
import { ApiServer } from '../support/api-server.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { must } from '../support/must.ts';
import { agentRun, instance, policy } from '../support/objects.ts';
import { percentile, table } from './statistics.ts';

/** The label by which the API server leaves the webhook out: so both kinds of creations share every second. */
const BARE = 'sympozium.ai/bench-bare';
/** Creations at the start that fill caches and compile code. */
const WARM_UP = 200;

/**
 * What the webhook adds to the creation of an AgentRun: two creations in turn, one with and one without it, each at
 * `rate` a second, whatever the answers take.
 */
export async function benchWebhook(rate: number, seconds: number): Promise<string> {
  const server = await ApiServer.start();
  const kube = server.client();
  let webhook: ChildProcess | undefined;
  try {
    webhook = await prepare(server, kube);
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
    return report(samples, rate);
  } finally {
    webhook?.kill('SIGKILL');
    kube.close();
    await server.remove();
  }
}

/** Everything that a rule may have to look at: an own policy, a floor, an instance; and the webhook as a process. */
async function prepare(server: ApiServer, kube: KubeClient): Promise<ChildProcess> {
  for (const name of ['sympozium-system', 'team']) await server.namespace(name);
  await kube.create(POLICIES, policy('default', { template: 'Default', models: { allowed: ['openai/*'] } }));
  await kube.create(POLICIES, policy('base', { enforce: { namespaceSelector: {} }, deniedTools: ['write_file'] }));
  await kube.create(INSTANCES, instance());
  const port = await freePort();
  await registerWebhook(kube, port);
  for (const resource of [MUTATING_WEBHOOKS, VALIDATING_WEBHOOKS]) {
    const found = must(await kube.get(resource, { name: CONFIGURATION }));
    const objectSelector = { matchExpressions: [{ key: BARE, operator: 'DoesNotExist' }] };
    const webhooks = (found.webhooks ?? []).map((one) => ({ ...one, objectSelector }));
    await kube.replace(resource, { ...found, webhooks });
  }
  const program = [join(import.meta.dirname, 'webhook-process.ts'), server.kubeconfig, String(port)];
  const child = spawn(process.execPath, program, { stdio: ['ignore', 'pipe', 'inherit'] });
  await Promise.race([
    once(child.stdout, 'data'),
    once(child, 'exit').then(() => Promise.reject(new Error('the webhook ended before it could be called'))),
  ]);
  // The API server trusts the certificate a moment later than the webhook writes it.
  let attempt = 0;
  await eventually(() => create(kube, `first-${(attempt += 1)}`, false).then(Boolean, () => false), 20_000);
  return child;
}

async function create(kube: KubeClient, name: string, bare: boolean): Promise<number> {
  const metadata = { name, namespace: 'team', ...(bare ? { labels: { [BARE]: '' } } : {}) };
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
