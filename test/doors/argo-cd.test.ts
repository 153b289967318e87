import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { createProgress, hostAddress, waitFor } from '../cluster/index.ts';
import { ARGO_CD, ArgoCd, healthOf, type ApplicationStatus, type Health } from '../gitops/argo-cd.ts';
import { GitServer, type GitRepository } from '../gitops/git-server.ts';
import { SYSTEM } from '../platform/install.ts';
import type { Cluster } from '../platform/kubectl.ts';
import { emptyCluster, EMPTY_CLUSTER_MS } from './support/empty-cluster.ts';

const ROOT = join(import.meta.dirname, '../..');
const EXAMPLE = join(ROOT, 'examples/06-gitops-argo-cd');
const SETTINGS = join(EXAMPLE, 'argocd-cm.yaml');
/** From an empty cache Argo CD is built first. */
const BUILD_MS = 1_800_000;
const APP = 'sympozium';

const progress = createProgress(process.stderr);

describe('Argo CD on an empty cluster', () => {
  let cluster: Cluster;
  let fleet: GitRepository;
  let argo: ArgoCd;
  const started: { stop: () => Promise<void> }[] = [];

  beforeAll(async () => {
    cluster = await emptyCluster();
    argo = await ArgoCd.start(cluster, progress);
    started.push(argo);
    const server = await GitServer.start(hostAddress);
    started.push(server);
    const application = readFileSync(join(EXAMPLE, 'application.yaml'), 'utf8');
    const [upstream = '', own = ''] = [...application.matchAll(/repoURL: (\S+)/g)].map(([, url]) => url);

    const sympozium = await server.create('sympozium');
    await sympozium.add(join(ROOT, 'dist'), 'dist');
    await sympozium.commit('A release', /targetRevision: (v\S+)/.exec(application)?.[1]);
    fleet = await server.create('fleet');
    await fleet.add(join(EXAMPLE, 'teams'), 'teams');
    await fleet.commit('A fleet');

    // The steps of the example's README.
    await cluster.kubectl(['patch', 'configmap', 'argocd-cm', '-n', ARGO_CD, '--patch-file', SETTINGS]);
    await cluster.apply(application.replace(upstream, sympozium.url).replace(own, fleet.url));
  }, EMPTY_CLUSTER_MS + BUILD_MS);

  afterAll(async () => {
    for (const one of started) await one.stop();
  });

  const isSynced = ({ sync, operationState }: ApplicationStatus): boolean =>
    sync?.status === 'Synced' && operationState?.phase === 'Succeeded';
  const isWell = (status: ApplicationStatus): boolean => isSynced(status) && status.health?.status === 'Healthy';
  const field = (kind: string, name: string, path: string, namespace: string): Promise<string> =>
    cluster.kubectl(['get', kind, name, '-n', namespace, '--ignore-not-found', '-o', `jsonpath={${path}}`]);

  /** Waits until a field of an object has a value; fails with the value that it has. */
  async function until(args: [kind: string, name: string, path: string, namespace: string], wanted: string) {
    let got = '';
    const isSo = async () => (got = await field(...args)) === wanted || undefined;
    await waitFor(isSo, 90_000, () => `${args.join(' ')} is '${got}' after 90 s, expected '${wanted}'`);
  }

  test('an Application brings the control plane, then the agents, and is Healthy once all are', async () => {
    await argo.until(APP, (status) => isSynced(status) && status.health?.status === 'Degraded', 240_000);
    const analyst = await field('application', APP, '.status.resources[?(@.name=="analyst")].status', ARGO_CD);
    expect(analyst).toBe('Synced');
    const secret = ['create', 'secret', 'generic', 'openai-secret', '--from-literal=apiKey=sk-test'];
    await cluster.kubectl([...secret, '--namespace', 'research']);
    await argo.until(APP, isWell, 120_000);
  });

  test('agents come after the control plane', async () => {
    const created = async (kind: string, name: string, namespace: string) =>
      Date.parse(await field(kind, name, '.metadata.creationTimestamp', namespace));
    const available = await field(
      ...(['deployment', 'sympozium-webhook'] as const),
      '.status.conditions[?(@.type=="Available")].lastTransitionTime',
      SYSTEM,
    );
    expect(await created('sympoziuminstance', 'analyst', 'research')).toBeGreaterThanOrEqual(Date.parse(available));
  });

  test('what was deleted or edited by hand returns', async () => {
    await cluster.kubectl(['delete', 'deployment', 'sympozium-gateway', '-n', SYSTEM]);
    await cluster.kubectl(['delete', 'networkpolicy', 'sympozium-nats', '-n', SYSTEM]);
    const loosen = ['--type=merge', '--patch', '{"spec":{"policy":"permissive"}}'];
    await cluster.kubectl(['patch', 'sympoziuminstance', 'analyst', '-n', 'research', ...loosen]);
    await until(['deployment', 'sympozium-gateway', '.status.availableReplicas', SYSTEM], '2');
    await until(['networkpolicy', 'sympozium-nats', '.metadata.name', SYSTEM], 'sympozium-nats');
    await until(['sympoziuminstance', 'analyst', '.spec.policy', 'research'], 'readers');
    await argo.until(APP, isWell, 90_000);
  });

  test('a commit changes an agent, and another removes it', async () => {
    await fleet.edit('teams/research/analyst.yaml', (text) => text.replace('model: gpt-4o', 'model: gpt-5'));
    await fleet.commit('Another model');
    await argo.refresh(APP);
    await until(['sympoziuminstance', 'analyst', '.spec.provider.model', 'research'], 'gpt-5');

    await fleet.remove('teams/research/analyst.yaml');
    await fleet.commit('No analyst');
    await argo.refresh(APP);
    await until(['sympoziuminstance', 'analyst', '.metadata.name', 'research'], '');
    await argo.until(APP, isWell, 90_000);
  });
});

describe('the health that Argo CD shows', () => {
  const config = (parse(readFileSync(SETTINGS, 'utf8')) as { data: Record<string, string> }).data;
  const condition = (type: string, status: string, message: string) => ({ type, status, reason: 'Reason', message });
  const object = (kind: string, status?: object, spec: object = {}) => ({
    apiVersion: 'sympozium.ai/v1alpha1',
    kind,
    metadata: { name: 'one', namespace: 'research', generation: 2 },
    spec,
    ...(status === undefined ? {} : { status }),
  });
  const seen = (...conditions: object[]) => ({ observedGeneration: 2, conditions });
  const MISSING = 'Secret research/openai-secret is missing';

  const cases: Readonly<Record<string, readonly [object, Health['status'], string]>> = {
    'an instance that is new': [
      object('SympoziumInstance', { observedGeneration: -1 }),
      ...(['Progressing', 'the latest change has not been looked at yet'] as const),
    ],
    'an instance without a status': [object('SympoziumInstance'), 'Progressing', 'not looked at yet'],
    'an instance whose key is missing': [
      object('SympoziumInstance', seen(condition('Ready', 'False', MISSING))),
      ...(['Degraded', MISSING] as const),
    ],
    'an instance that the gateway knows nothing of': [
      object('SympoziumInstance', seen(condition('Ready', 'Unknown', 'the gateway is away'))),
      ...(['Progressing', 'the gateway is away'] as const),
    ],
    'an instance in order': [
      object('SympoziumInstance', seen(condition('Ready', 'True', 'in place'))),
      ...(['Healthy', 'in place'] as const),
    ],
    'an instance in order before its last change': [
      object('SympoziumInstance', { ...seen(condition('Ready', 'True', 'in place')), observedGeneration: 1 }),
      ...(['Progressing', 'the latest change has not been looked at yet'] as const),
    ],
    'a run that waits': [object('AgentRun', { phase: 'Pending', observedGeneration: 2 }), 'Progressing', 'Pending'],
    'a run at work': [
      object('AgentRun', {
        phase: 'Running',
        ...seen(condition('Ready', 'False', 'running'), condition('Reconciling', 'True', 'the agent works')),
      }),
      ...(['Progressing', 'the agent works'] as const),
    ],
    'a run that succeeded': [
      object('AgentRun', { phase: 'Succeeded', ...seen(condition('Ready', 'True', 'answered')) }),
      ...(['Healthy', 'answered'] as const),
    ],
    'a run that failed': [
      object('AgentRun', {
        phase: 'Failed',
        ...seen(condition('Ready', 'False', 'no'), condition('Stalled', 'True', 'the time was up')),
      }),
      ...(['Degraded', 'the time was up'] as const),
    ],
    'a schedule that is suspended': [
      object('SympoziumSchedule', seen(condition('Ready', 'True', 'in place')), { suspend: true }),
      ...(['Suspended', 'suspended: set spec.suspend to false to go on'] as const),
    ],
    'a call that waits for a person': [
      object('ToolApproval', undefined, { tool: 'execute_command' }),
      ...(['Suspended', 'waits for a decision: set spec.decision'] as const),
    ],
    'a kind that comes later': [object('MCPServer', seen(condition('Ready', 'True', 'ok'))), 'Healthy', 'ok'],
  };

  test.each(Object.entries(cases))('of %s', async (_name, [subject, status, message]) => {
    expect(await healthOf(config, [subject], progress)).toEqual([{ status, message }]);
  });

  test('of objects that are not ours stays what it was', async () => {
    const certificate = { apiVersion: 'cert-manager.io/v1', kind: 'Certificate', metadata: { name: 'one' } };
    expect(await healthOf(config, [certificate], progress)).toEqual(await healthOf({}, [certificate], progress));
    expect(await healthOf({}, [object('SympoziumInstance')], progress)).toEqual([null]);
  });
});
