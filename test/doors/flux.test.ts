import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createProgress, hostAddress, waitFor } from '../cluster/index.ts';
import { FLUX, follow, installFlux, reconcile, untilKustomization, untilReady } from '../gitops/flux.ts';
import { GitServer, type GitRepository } from '../gitops/git-server.ts';
import { SYSTEM } from '../platform/install.ts';
import type { Cluster } from '../platform/kubectl.ts';
import { emptyCluster, EMPTY_CLUSTER_MS } from './support/empty-cluster.ts';

const ROOT = join(import.meta.dirname, '../..');
const EXAMPLE = join(ROOT, 'examples/05-gitops-flux');
/** Where the example says that the control plane comes from. */
const UPSTREAM = 'https://github.com/sympozium-ai/sympozium';
const AGENTS = 'research-agents';
/** From an empty cache the controllers are built first. */
const BUILD_MS = 1_800_000;

let cluster: Cluster;
let server: GitServer | undefined;
let fleet: GitRepository;

beforeAll(async () => {
  cluster = await emptyCluster();
  await installFlux(cluster, createProgress(process.stderr));
  server = await GitServer.start(hostAddress);

  const sympozium = await server.create('sympozium');
  await sympozium.add(join(ROOT, 'dist'), 'dist');
  const controlPlane = readFileSync(join(EXAMPLE, 'clusters/production/sympozium.yaml'), 'utf8');
  await sympozium.commit('A release', /tag: (\S+)/.exec(controlPlane)?.[1]);

  fleet = await server.create('fleet');
  await fleet.add(join(EXAMPLE, 'clusters'), 'clusters');
  await fleet.add(join(EXAMPLE, 'teams'), 'teams');
  await fleet.edit('clusters/production/sympozium.yaml', (text) => text.replace(UPSTREAM, sympozium.url));
  await fleet.commit('A fleet');
}, EMPTY_CLUSTER_MS + BUILD_MS);

afterAll(() => server?.stop());

const json = (kind: string, name: string, path: string, namespace: string): Promise<string> =>
  cluster.kubectl(['get', kind, name, '-n', namespace, '--ignore-not-found', '-o', `jsonpath={${path}}`]);

/** Waits until a field of an object has a value; fails with the value that it has. */
async function until(args: [kind: string, name: string, path: string, namespace: string], wanted: string) {
  let got = '';
  const isSo = async () => (got = await json(...args)) === wanted || undefined;
  await waitFor(isSo, 60_000, () => `${args.join(' ')} is '${got}' after 60 s, expected '${wanted}'`);
}

const KINDS = [
  ...['crds', 'deployments', 'statefulsets', 'services', 'networkpolicies', 'clusterroles', 'sympoziuminstances'],
  ...['mutatingwebhookconfigurations', 'validatingwebhookconfigurations'],
];
const generations = (): Promise<string> =>
  cluster.kubectl([
    ...['get', KINDS.join(','), '--all-namespaces', '--selector', 'kustomize.toolkit.fluxcd.io/name'],
    ...['-o', 'jsonpath={range .items[*]}{.kind}/{.metadata.name}={.metadata.generation}{"\\n"}{end}'],
  ]);

test('the control plane comes from Git and is Ready', async () => {
  await follow(cluster, fleet.url, './clusters/production');
  await untilReady(cluster, 'sympozium', 180_000);
  const objects = readFileSync(join(ROOT, 'dist/sympozium.yaml'), 'utf8').match(/^kind: /gm) ?? [];
  const inventory = await json('kustomization', 'sympozium', '.status.inventory.entries[*].id', FLUX);
  expect(inventory.split(' ')).toHaveLength(objects.length);
  await until(['deployment', 'sympozium-controller', '.status.availableReplicas', SYSTEM], '2');
});

test('agents that lack something are not Ready, and Flux says which one until it is', async () => {
  const ready = await untilKustomization(cluster, AGENTS, ({ reason }) => reason === 'HealthCheckFailed', 150_000);
  expect(ready).toMatchObject({ status: 'False' });
  expect(ready.message).toContain('SympoziumInstance/research/analyst');

  const secret = ['create', 'secret', 'generic', 'openai-secret', '--from-literal=apiKey=sk-test'];
  await cluster.kubectl([...secret, '--namespace', 'research']);
  await untilReady(cluster, AGENTS, 150_000);
  await until(['sympoziuminstance', 'analyst', '.status.conditions[?(@.type=="Ready")].status', 'research'], 'True');
});

test('what was deleted or edited by hand returns', async () => {
  await cluster.kubectl(['delete', 'deployment', 'sympozium-gateway', '-n', SYSTEM]);
  await cluster.kubectl(['delete', 'networkpolicy', 'sympozium-nats', '-n', SYSTEM]);
  const scale = ['patch', 'deployment', 'sympozium-webhook', '-n', SYSTEM, '--patch', '{"spec":{"replicas":1}}'];
  await cluster.kubectl(scale);
  const loosen = ['--type=merge', '--patch', '{"spec":{"policy":"permissive"}}'];
  await cluster.kubectl(['patch', 'sympoziuminstance', 'analyst', '-n', 'research', ...loosen]);

  await reconcile(cluster, 'sympozium', 'sympozium');
  await until(['deployment', 'sympozium-gateway', '.status.availableReplicas', SYSTEM], '2');
  await until(['networkpolicy', 'sympozium-nats', '.metadata.name', SYSTEM], 'sympozium-nats');
  await until(['deployment', 'sympozium-webhook', '.spec.replicas', SYSTEM], '2');
  await reconcile(cluster, AGENTS, FLUX);
  await until(['sympoziuminstance', 'analyst', '.spec.policy', 'research'], 'readers');
});

test('reconciling again changes nothing, so nothing of ours always differs', async () => {
  const before = await generations();
  expect(before).toContain('ValidatingWebhookConfiguration/sympozium=');
  await reconcile(cluster, 'sympozium', 'sympozium');
  await reconcile(cluster, AGENTS, FLUX);
  expect(await generations()).toBe(before);
});

test('a commit changes an agent, and another removes it', async () => {
  await fleet.edit('teams/research/agents/analyst.yaml', (text) => text.replace('model: gpt-4o', 'model: gpt-5'));
  await fleet.commit('Another model');
  await reconcile(cluster, AGENTS, FLUX);
  await until(['sympoziuminstance', 'analyst', '.spec.provider.model', 'research'], 'gpt-5');

  await fleet.remove('teams/research/agents/analyst.yaml');
  await fleet.add(join(EXAMPLE, 'teams/research/agents/analyst.yaml'), 'teams/research/agents/helper.yaml');
  await fleet.edit('teams/research/agents/helper.yaml', (text) => text.replace('name: analyst', 'name: helper'));
  await fleet.commit('A helper in place of the analyst');
  await reconcile(cluster, AGENTS, FLUX);
  await until(['sympoziuminstance', 'analyst', '.metadata.name', 'research'], '');
  await until(['sympoziuminstance', 'helper', '.status.conditions[?(@.type=="Ready")].status', 'research'], 'True');
});
