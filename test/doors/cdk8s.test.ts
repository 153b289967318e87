import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { files } from '../support/files.ts';
import { pack, Project } from '../package/project.ts';
import { MOCK } from '../e2e/support/world.ts';
import { PLAIN_ANSWER } from '../model/scenarios.ts';
import type { Cluster } from '../platform/kubectl.ts';
import { emptyCluster, EMPTY_CLUSTER_MS } from './support/empty-cluster.ts';
import { startMock } from './support/mock.ts';
import { untilReady } from './support/ready.ts';

/** A program of a user: a control plane, a namespace for a team, its agent and a question. */
const PROGRAM = `
import { App, Chart } from 'cdk8s';
import { AgentRun, ControlPlane, SympoziumInstance } from 'sympozium';

const app = new App({ outdir: 'dist' });
new ControlPlane(app, 'sympozium', { gateway: { replicas: 1 }, agentNamespaces: ['team'] });
app.synth();

const agents = new App({ outdir: 'agents' });
const team = new Chart(agents, 'team', { namespace: 'team' });
const provider = { name: 'openai', model: 'gpt-4o', baseURL: '${MOCK}' };
const watchdog = new SympoziumInstance(team, 'watchdog', { spec: { provider, policy: 'permissive' } });
new AgentRun(team, 'hello', { metadata: { name: 'hello' }, spec: { instanceRef: watchdog.name, input: 'Hello?' } });
agents.synth();
`;

let cluster: Cluster;
let project: Project;

beforeAll(async () => {
  cluster = await emptyCluster();
  await startMock(cluster);
  project = new Project();
  const { filename } = pack(project);
  project.install(project.path(filename));
  project.write('main.mjs', PROGRAM);
  project.must(process.execPath, 'main.mjs');
}, EMPTY_CLUSTER_MS + 300_000);
afterAll(() => {
  project.remove();
});

const apply = (folder: string) =>
  cluster.kubectl(['apply', '--server-side', '-f', '-'], Object.values(files(project.path(folder))).join('---\n'));

test('a program with the npm package installs the control plane', async () => {
  expect(await apply('dist')).toContain('deployment.apps/sympozium-gateway serverside-applied');
  await untilReady(cluster);
});

test('and the agents of a team, which answer', async () => {
  await apply('agents');
  const run = ['-n', 'team', 'agentrun', 'hello'];
  await cluster.kubectl(['wait', ...run, '--for=condition=Ready', '--timeout=60s']);
  expect(await cluster.kubectl(['get', ...run, '-o', 'jsonpath={.status.output}'])).toBe(PLAIN_ANSWER);
});
