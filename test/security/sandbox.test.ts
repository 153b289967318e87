import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { API_VERSION } from '../../lib/api/group.ts';
import { POLICIES } from '../../operator/kube/resources.ts';
import { cluster, POLL_MS, World } from '../e2e/support/world.ts';
import { eventually } from '../support/eventually.ts';
import { findings, probeAgent, provideProbe } from './support/probe.ts';

const KERNEL = '/proc/version';

const runtimeClassManifest = (name: string): string =>
  JSON.stringify({ apiVersion: 'node.k8s.io/v1', kind: 'RuntimeClass', metadata: { name }, handler: 'runsc' });

describe('the sandbox of a policy', () => {
  let world: World;
  let doomed: string;
  beforeAll(async () => {
    world = await World.create('sandbox');
    const image = await provideProbe();
    doomed = `doomed-${world.namespace}`;
    await cluster.apply(runtimeClassManifest(doomed));
    for (const [name, runtimeClass] of [
      ['sandboxed', 'gvisor'],
      ['doomed', doomed],
    ] as const) {
      await world.kube.create(POLICIES, {
        apiVersion: API_VERSION,
        kind: 'SympoziumPolicy',
        metadata: { name, namespace: world.namespace },
        spec: { template: 'Permissive', sandbox: { enabled: true, runtimeClass } },
      });
    }
    for (const policy of ['permissive', 'restrictive', 'sandboxed', 'doomed']) {
      await world.instance(policy, { policy, agent: probeAgent(image) });
    }
  }, 180_000);
  afterAll(async () => {
    await cluster.kubectl(['delete', 'runtimeclass', doomed, '--ignore-not-found']);
    await world.destroy();
  });

  const kernel = async (instance: string): Promise<string | undefined> =>
    (await findings(world, instance, instance, { files: [KERNEL] })).files[KERNEL];

  test('P7 without a sandbox, a run is on the kernel of the node', async () => {
    expect(await kernel('permissive')).not.toMatch(/gvisor/i);
  });

  test('P7 with one, it is on the kernel of gVisor', async () => {
    expect(await kernel('sandboxed')).toMatch(/^Linux version \S+gvisor\b/i);
  });

  test('P8 the built-in policy `restrictive` has one, though neither run nor instance names a RuntimeClass', async () => {
    expect(await kernel('restrictive')).toMatch(/^Linux version \S+gvisor\b/i);
  });

  test('P8 a run whose RuntimeClass is gone from the cluster is refused, rather than run without', async () => {
    await cluster.kubectl(['delete', 'runtimeclass', doomed]);
    const run = { apiVersion: API_VERSION, kind: 'AgentRun', metadata: { name: 'doomed' } };
    const text = JSON.stringify({ ...run, spec: { instanceRef: 'doomed', input: '{}' } });
    // By dry runs, until the webhook has seen the deletion.
    const refusal = async () => {
      const create = world.kubectl(['create', '--dry-run=server', '-f', '-'], text);
      return create.then(() => undefined, String);
    };
    expect(await eventually(refusal, 30_000, POLL_MS)).toContain(
      `policy 'doomed' needs RuntimeClass '${doomed}', which is not in this cluster: install it on the nodes, or choose a policy with another sandbox`,
    );
  });
});
