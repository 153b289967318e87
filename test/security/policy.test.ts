import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { API_VERSION } from '../../lib/api/group.ts';
import type { SympoziumPolicy } from '../../lib/api/v1alpha1/policy.ts';
import { AGENT_RUNS, INSTANCES, POLICIES } from '../../operator/kube/resources.ts';
import { SYSTEM, World } from '../e2e/support/world.ts';
import { eventually } from '../support/eventually.ts';

/** Policies, attacked on the local cluster: model, bridge, webhook and controller as they are installed. */

let world: World;
/** A floor of this file's namespace alone. */
let floor: string;

beforeAll(async () => {
  world = await World.create('policy');
  floor = `floor-of-${world.namespace}`;
});
afterAll(async () => {
  await world.kube.delete(POLICIES, { namespace: SYSTEM, name: floor });
  await world.destroy();
});

const policy = (
  name: string,
  spec: Partial<SympoziumPolicy['spec']>,
  namespace = world.namespace,
): SympoziumPolicy => ({
  apiVersion: API_VERSION,
  kind: 'SympoziumPolicy',
  metadata: { name, namespace },
  spec: { template: 'Permissive', ...spec },
});
const put = (...given: Parameters<typeof policy>) => world.kube.apply(POLICIES, policy(...given));
const governed = async (name: string, spec: Partial<SympoziumPolicy['spec']>) => {
  await put(name, spec);
  await world.instance(name, { policy: name });
};

describe('What a model asks for, and its policy forbids', () => {
  test('P1 a denied tool is not run, though the model calls it', async () => {
    await governed('no-files', { deniedTools: ['write_file'] });
    const { status } = await world.run('p1-denied', { instanceRef: 'no-files', input: 'scenario:write-file' });
    expect(status).toMatchObject({ phase: 'Succeeded', usage: { modelCalls: 2, toolCalls: 0 } });
    await world.reasons('p1-denied', 'ToolDenied');
  });

  test('P1 a tool that a list leaves out is not run either', async () => {
    await governed('readers', { allowedTools: ['read_file'] });
    const { status } = await world.run('p1-unlisted', { instanceRef: 'readers', input: 'scenario:execute-command' });
    expect(status).toMatchObject({ phase: 'Succeeded', usage: { toolCalls: 0 } });
  });

  test('P1 a policy that becomes stricter holds for the next call of a run at work', async () => {
    await put('changing', {});
    await world.instance('changing', { policy: 'changing', limits: { modelCallsPerRun: 1000 } });
    await world.start('p1-live', { instanceRef: 'changing', input: 'scenario:endless' });
    await world.atWork('p1-live');
    expect(await world.reasons('p1-live')).not.toContain('ToolDenied');
    await put('changing', { deniedTools: ['list_directory'] });
    await world.reasons('p1-live', 'ToolDenied');
    await world.kubectl(['patch', 'ar', 'p1-live', '--type=merge', '-p', '{"spec":{"cancelled":true}}']);
    await world.ended('p1-live');
  });

  test('P11 a floor holds for an instance that names the laxest policy', async () => {
    const namespaceSelector = { matchLabels: { 'kubernetes.io/metadata.name': world.namespace } };
    await put(floor, { enforce: { namespaceSelector }, deniedTools: ['execute_command'] }, SYSTEM);
    await eventually(async () => {
      const found = await world.kube.get(POLICIES, { namespace: SYSTEM, name: floor });
      return (found?.status?.boundInstances ?? 0) > 0;
    }, 20_000);
    const { status } = await world.run('p11', { input: 'scenario:execute-command' });
    expect(status).toMatchObject({ usage: { toolCalls: 0 }, effectivePolicy: { name: 'permissive' } });
  });
});

describe('The webhook, as it is installed', () => {
  test('P13 refuses a run that names a tool which its policy denies', async () => {
    await governed('strict', { deniedTools: ['write_file'] });
    const attempt = world.start('p13', { instanceRef: 'strict', input: 'x', toolPolicy: { allow: ['write_file'] } });
    await expect(attempt).rejects.toThrow(/admission webhook .* policy 'strict' denies it/);
  });

  test('P13 refuses a floor that a tenant makes', async () => {
    await expect(put('mine', { enforce: { namespaceSelector: {} } })).rejects.toThrow(
      /spec\.enforce is for policies in/,
    );
  });
});

test('P14 a run whose policy and instance are gone can be cancelled and deleted', async () => {
  await governed('leaving', {});
  await world.start('p14', { instanceRef: 'leaving', input: 'scenario:hang' });
  await world.running('p14');
  await world.kube.delete(POLICIES, { namespace: world.namespace, name: 'leaving' });
  await world.kube.delete(INSTANCES, { namespace: world.namespace, name: 'leaving' });
  await world.kubectl(['patch', 'ar', 'p14', '--type=merge', '-p', '{"spec":{"cancelled":true}}']);
  expect((await world.ended('p14')).status?.phase).toBe('Cancelled');
  await world.kube.delete(AGENT_RUNS, { namespace: world.namespace, name: 'p14' });
  await world.gone(AGENT_RUNS, 'p14');
});
