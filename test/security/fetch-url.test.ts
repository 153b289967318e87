import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { API_VERSION } from '../../lib/api/group.ts';
import type { SympoziumPolicy } from '../../lib/api/v1alpha1/policy.ts';
import { eventually } from '../support/eventually.ts';
import { cluster, POLL_MS, SYSTEM, World } from '../e2e/support/world.ts';

/** A server in the cluster that is page and model at once, so that what was fetched is what a run answers. */
async function startServer(world: World): Promise<void> {
  const script = await readFile(join(import.meta.dirname, 'support/page-and-model.mjs'), 'utf8');
  const image = await cluster.kubectl([
    ...['get', 'deployment', 'sympozium-gateway', '-n', SYSTEM],
    ...['-o', 'jsonpath={.spec.template.spec.containers[0].image}'],
  ]);
  const labels = { app: 'web' };
  const security = {
    ...{ allowPrivilegeEscalation: false, runAsNonRoot: true, runAsUser: 1000 },
    ...{ capabilities: { drop: ['ALL'] }, seccompProfile: { type: 'RuntimeDefault' } },
  };
  const container = {
    ...{ name: 'web', image, command: ['node', '--input-type=module', '-e', script], securityContext: security },
    readinessProbe: { httpGet: { path: '/', port: 8080 }, periodSeconds: 1 },
  };
  const objects = [
    { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web', labels }, spec: { containers: [container], terminationGracePeriodSeconds: 1 } },
    { apiVersion: 'v1', kind: 'Service', metadata: { name: 'web' }, spec: { selector: labels, ports: [{ port: 8080 }] } },
  ]; // prettier-ignore
  await world.kubectl(['create', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }));
  await world.kubectl(['wait', '--for=condition=Ready', 'pod/web', '--timeout=60s']);
}

describe('T8 fetch_url', () => {
  let world: World;
  let server = '';
  let count = 0;

  const policy = (name: string, spec: SympoziumPolicy['spec']) =>
    world.kubectl(
      ['apply', '-f', '-'],
      JSON.stringify({ apiVersion: API_VERSION, kind: 'SympoziumPolicy', metadata: { name }, spec }),
    );
  const instance = (name: string) =>
    world.instance(name, {
      policy: name,
      provider: { name: 'openai', model: 'm', apiKeySecret: 'provider-key', baseURL: `http://${server}/v1` },
    });
  /** What a run was told when it fetched the address. */
  const fetched = async (instanceRef: string, url: string): Promise<string | undefined> => {
    count += 1;
    const { status } = await world.run(`fetch-${count}`, { instanceRef, input: `please fetch ${url}` });
    return status?.output ?? status?.message;
  };

  beforeAll(async () => {
    world = await World.create('fetch');
    server = `web.${world.namespace}.svc:8080`;
    await startServer(world);
    await policy('open', { template: 'Permissive' });
    await policy('web', { template: 'Permissive', egress: { mode: 'Web' } });
    await policy('listed', { template: 'Permissive', egress: { mode: 'All', hosts: [`web.${world.namespace}.svc`] } });
    await Promise.all(['open', 'web', 'listed'].map(instance));
  });
  afterAll(() => world.destroy());

  test('reads a page in the cluster under egress mode All', async () => {
    expect(await fetched('open', `http://${server}/`)).toBe(`Page\n\nHello from ${server}`);
  });

  test('does not under egress mode Web', async () => {
    expect(await fetched('web', `http://${server}/`)).toContain(
      "The fetch was denied: policy 'web' allows no hosts inside of the cluster (egress.mode Web).",
    );
  });

  test('goes only to hosts that are listed', async () => {
    expect(await fetched('listed', `http://${server}/`)).toContain('Hello from');
    expect(await fetched('listed', 'http://example.com/')).toContain("does not list 'example.com' in egress.hosts");
  });

  test.each([
    ['the metadata service', 'http://169.254.169.254/latest/meta-data/', 'a link-local address'],
    ['the metadata service in decimal', 'http://2852039166/', 'a link-local address'],
    ['itself', 'http://127.0.0.1:8081/metrics', 'a loopback address'],
    ['the API server', 'https://kubernetes.default.svc/version', 'is the API server'],
    ['the bus', `http://sympozium-nats.${SYSTEM}.svc:8222/varz`, 'of the control plane'],
    ['the gateway', `http://sympozium-gateway.${SYSTEM}.svc:8080/v1/models`, 'of the control plane'],
  ])('never reaches %s', async (_what, url, because) => {
    expect(await fetched('open', url)).toMatch(new RegExp(`^The fetch was denied: .*${because}`));
  });

  test('never reaches them by a Pod’s own address either, nor by a redirect', async () => {
    const podIP = await cluster.kubectl([
      ...['get', 'pods', '-n', SYSTEM, '-l', 'sympozium.ai/component=gateway', '-o', 'jsonpath={.items[0].status.podIP}'],
    ]); // prettier-ignore
    const endpoints = await cluster.kubectl([
      ...['get', 'endpointslice', 'kubernetes', '-n', 'default'],
      ...['-o', 'jsonpath={.endpoints[0].addresses[0]}:{.ports[0].port}'],
    ]);
    const redirect = `http://${server}/to?${encodeURIComponent('http://169.254.169.254/latest/meta-data/')}`;
    expect(await fetched('open', `http://${podIP}:8081/metrics`)).toContain('of the control plane');
    expect(await fetched('open', `https://${endpoints}/version`)).toContain('is the API server');
    expect(await fetched('open', redirect)).toContain('The fetch was denied');
  });

  test('P4 a policy that becomes stricter holds for the next call', async () => {
    await policy('listed', { template: 'Permissive', egress: { mode: 'None' } });
    const said = () => fetched('listed', `http://${server}/`);
    await eventually(async () => (await said())?.includes('allows no connections (egress.mode None)'), 30_000, POLL_MS);
    await policy('listed', { template: 'Permissive', models: { allowed: ['anthropic/*'] } });
    const { status } = await world.run('denied', { instanceRef: 'listed', input: 'hi' }).catch((error: unknown) => ({
      status: { reason: 'refused at admission', message: (error as Error).message },
    }));
    expect(status?.message).toContain("policy 'listed' does not list it in models.allowed");
  });

  test('every denial is in the log of the gateway, with a hash and without the address', async () => {
    const log = await cluster.kubectl([...['logs', '-n', SYSTEM, '-l', 'sympozium.ai/component=gateway', '--tail=-1']]);
    const records = log
      .split('\n')
      .filter((line) => line.includes('"message":"Audit"') && line.includes(world.namespace))
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(records.length).toBeGreaterThanOrEqual(10);
    for (const record of records) {
      expect(record).toMatchObject({ v: 1, namespace: world.namespace, verdict: 'denied', rule: expect.any(String) });
    }
    expect(records.find(({ action }) => action === 'fetch')).toMatchObject({
      tool: 'fetch_url',
      argumentsHash: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    expect(JSON.stringify(records)).not.toContain('meta-data');
  });
});
