import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { silent } from '../cluster/index.ts';
import { cluster, POLL_MS, SYSTEM, World } from '../e2e/support/world.ts';
import { provideSkillImages } from '../platform/skills.ts';
import { LOCAL_IMAGES } from '../platform/target.ts';
import { eventually } from '../support/eventually.ts';
import { must } from '../support/must.ts';

/** The built-in skills in a cluster, called by an agent of ours that does exactly what the test says. */
interface Call {
  readonly tool: string;
  readonly arguments?: Readonly<Record<string, unknown>>;
}
interface Output {
  readonly results: readonly { readonly ok: boolean; readonly content: string }[];
  readonly tools: readonly string[];
  readonly systemPrompt: string;
}

const CALLER = readFileSync(join(import.meta.dirname, 'support', 'caller.mjs'), 'utf8');

let world: World;
let image: string;

const deployment = (script: string): string =>
  JSON.stringify({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'shop' },
    spec: {
      replicas: 1,
      selector: { matchLabels: { app: 'shop' } },
      template: {
        metadata: { labels: { app: 'shop' } },
        spec: {
          automountServiceAccountToken: false,
          terminationGracePeriodSeconds: 0,
          securityContext: { runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: 'RuntimeDefault' } },
          containers: [
            {
              name: 'shop',
              image,
              command: ['node', '--eval', script],
              securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
            },
          ],
        },
      },
    },
  });

const OPEN = "setInterval(() => console.log('sold 3 apples'), 100)";
const BROKEN = "console.error('fatal: no table 7 in the shop'); process.exit(1)";

/** Has an agent with one skill make calls. */
async function calls(run: string, skill: string, ...wanted: readonly Call[]): Promise<Output> {
  const input = JSON.stringify(wanted.map(({ tool, arguments: given = {} }) => ({ tool, arguments: given })));
  const { status } = await world.run(run, { instanceRef: skill, input });
  if (status?.phase !== 'Succeeded') throw new Error(`run '${run}' made no calls: ${JSON.stringify(status)}`);
  return JSON.parse(status.output ?? '') as Output;
}

beforeAll(async () => {
  image = (await cluster.kubectl(['get', 'deploy', '-n', SYSTEM, 'sympozium-controller', '-o', 'jsonpath={.spec.template.spec.containers[0].image}'])).trim(); // prettier-ignore
  await provideSkillImages(LOCAL_IMAGES, silent, image);
  world = await World.create('packs');
  for (const skill of ['k8s-ops', 'sre-observability', 'incident-response']) {
    await world.instance(skill, {
      skills: [skill],
      skillConfig: { [skill]: { namespaces: [world.namespace] } },
      agent: { image, command: ['node', '--input-type=module', '--eval', CALLER] },
    });
  }
  await world.secret('database', { password: 'hunter2' });
  await world.kubectl(['apply', '-f', '-'], deployment(OPEN));
  await world.kubectl(['rollout', 'status', 'deployment/shop', '--timeout=60s']);
}, 300_000);
afterAll(() => world.destroy());

describe('R2: k8s-ops', () => {
  test('looks at a Deployment, reads its logs and runs a command in it; Secrets and other namespaces stay closed', async () => {
    const { namespace } = world;
    const pod = (
      await world.kubectl(['get', 'pods', '-l', 'app=shop', '-o', 'jsonpath={.items[0].metadata.name}'])
    ).trim();
    const { results, tools, systemPrompt } = await calls(
      'look',
      'k8s-ops',
      { tool: 'k8s_namespaces' },
      { tool: 'k8s_get', arguments: { namespace, resource: 'deployments' } },
      { tool: 'k8s_logs', arguments: { namespace, pod, tail: 3 } },
      { tool: 'k8s_exec', arguments: { namespace, pod, command: 'echo $((6 * 7)) && id -u' } },
      { tool: 'k8s_get', arguments: { namespace, resource: 'secrets', name: 'database', output: 'yaml' } },
      { tool: 'k8s_get', arguments: { namespace: SYSTEM, resource: 'pods' } },
    );
    const content = results.map((result) => result.content);
    expect(results.map(({ ok }) => ok)).toEqual([true, true, true, true, false, false]);
    expect(content[0]?.trim()).toBe(`${namespace} Active`);
    expect(content[1]).toMatch(/\nshop\s+1\/1/);
    expect(content[2]).toMatch(/^sold 3 apples/);
    expect(content[3]).toBe('42\n1000\n');
    expect(content[4]).toMatch(/secrets "database" is forbidden/);
    expect(content[5]).toMatch(/pods is forbidden/);
    expect(content.join()).not.toContain('hunter2');
    expect(tools).toContain('k8s_exec');
    expect(systemPrompt).toContain('Call `k8s_namespaces` first');
  });
});

describe('sre-observability', () => {
  const MONITORING = 'monitoring';
  // Answers as Prometheus does, where the Prometheus operator puts its Service.
  const PROMETHEUS = `require('http').createServer((question, answer) => {
    const result = [{ metric: { __name__: 'up', path: question.url }, value: [0, '1'] }];
    question.resume().on('end', () => answer.end(JSON.stringify({ status: 'success', data: { resultType: 'vector', result } })));
  }).listen(9090)`;

  beforeAll(async () => {
    await cluster.kubectl(['create', 'namespace', MONITORING]).catch(() => undefined); // it may be there
    const labels = { app: 'prometheus' };
    const containers = [{ name: 'prometheus', image, command: ['node', '--eval', PROMETHEUS], readinessProbe: { tcpSocket: { port: 9090 }, periodSeconds: 1 } }]; // prettier-ignore
    const items = [
      { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'prometheus', labels }, spec: { containers, terminationGracePeriodSeconds: 0 } }, // prettier-ignore
      { apiVersion: 'v1', kind: 'Service', metadata: { name: 'prometheus-operated' }, spec: { clusterIP: 'None', selector: labels, ports: [{ port: 9090 }] } }, // prettier-ignore
    ];
    await cluster.kubectl(
      ['-n', MONITORING, 'apply', '-f', '-'],
      JSON.stringify({ apiVersion: 'v1', kind: 'List', items }),
    );
    await cluster.kubectl(['-n', MONITORING, 'wait', 'pod', 'prometheus', '--for=condition=Ready', '--timeout=60s']);
  }, 120_000);
  afterAll(() => cluster.kubectl(['delete', 'namespace', MONITORING, '--wait=false']));

  test('reaches the Prometheus of the cluster and Pods, and can neither change nor exec', async () => {
    const { namespace } = world;
    const { results, tools } = await calls(
      'measure',
      'sre-observability',
      { tool: 'prometheus_query', arguments: { query: 'up' } },
      { tool: 'sre_pods', arguments: { namespace } },
      { tool: 'loki_labels' },
      { tool: 'k8s_exec', arguments: { namespace, pod: 'x', command: 'id' } },
    );
    const content = results.map((result) => result.content);
    expect(content[0]).toContain('up{path="/api/v1/query"} 1');
    expect(content[1]).toMatch(/\nshop-\S+\s+1\/1\s+Running/);
    expect(content[2]).toMatch(/^Loki at http:\/\/loki\.monitoring\.svc:3100 can't be reached: /);
    expect(results.map(({ ok }) => ok)).toEqual([true, true, false, false]);
    expect(tools).not.toContain('k8s_exec');
  });
});

describe('incident-response', () => {
  test('finds the revision that crashes, and rolls it back', async () => {
    const { namespace } = world;
    const shop = { namespace, kind: 'deployment', name: 'shop' };
    await world.kubectl(['apply', '-f', '-'], deployment(BROKEN));
    const crashed = async () =>
      (await world.kubectl(['get', 'pods', '-l', 'app=shop', '-o', 'jsonpath={.items[*].status.containerStatuses[*].lastState.terminated.exitCode}'])).includes('1'); // prettier-ignore
    await eventually(crashed, 90_000, POLL_MS);
    const { results } = await calls(
      'mitigate',
      'incident-response',
      { tool: 'incident_triage', arguments: { namespace } },
      { tool: 'incident_logs', arguments: { namespace, selector: 'app=shop' } },
      { tool: 'rollout_history', arguments: shop },
      { tool: 'rollout_undo', arguments: shop },
      { tool: 'scale_deployment', arguments: { namespace, name: 'shop', replicas: 2 } },
    );
    const content = results.map((result) => result.content);
    expect(results.map(({ ok }) => ok)).toEqual([true, true, true, true, true]);
    expect(content[0]).toMatch(/shop-\S+ \(Running, .*: container shop .*code 1 \(Error\)/);
    expect(content[1]).toContain('fatal: no table <n> in the shop');
    expect(content[2]).toMatch(/\n1 [^]*\n2 /);
    expect(content[3]).toContain('deployment.apps/shop rolled back');
    await world.kubectl(['rollout', 'status', 'deployment/shop', '--timeout=60s']);
    const { items } = await cluster.get<{ items: { status: { phase: string } }[] }>(
      ...['pods', '-n', namespace, '-l', 'app=shop', '--field-selector=status.phase=Running'],
    );
    expect(items.length).toBeGreaterThanOrEqual(2);
    const command = await world.kubectl([
      'get',
      'deployment',
      'shop',
      '-o',
      'jsonpath={.spec.template.spec.containers[0].command[2]}',
    ]);
    expect(must(command)).toBe(OPEN);
  });
});
