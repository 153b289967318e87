import { describe, expect, test } from '@jest/globals';
import type { SympoziumInstance } from '../../../../../lib/api/v1alpha1/instance.ts';
import type { SkillPack } from '../../../../../lib/api/v1alpha1/skill-pack.ts';
import { KubeError } from '../../../../../operator/kube/errors.ts';
import type { KubeObject } from '../../../../../operator/kube/port.ts';
import {
  AGENT_RUNS, CLUSTER_ROLE_BINDINGS, CLUSTER_ROLES, NETWORK_POLICIES, ROLE_BINDINGS, ROLES, type PolicyRule,
} from '../../../../../operator/kube/resources.ts'; // prettier-ignore
import { settle } from '../../../../support/fake-clock.ts';
import { agentRun, instance, policy, skillPack, succeeded } from '../../../../support/objects.ts';
import { Bench, RUNNING } from '../bench.ts';

const bench = Bench.make();
const SYSTEM = 'sympozium-system';
const PODS: PolicyRule = { apiGroups: [''], resources: ['pods'], verbs: ['get', 'list'] };
const rbac = [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }];

const grants = (...rules: readonly PolicyRule[]): KubeObject =>
  ({ apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata: { name: 'sympozium-skill-grants' }, rules }) as KubeObject; // prettier-ignore

const put = (spec: Partial<SkillPack['spec']>, namespace = SYSTEM) => bench.kube.put(skillPack('ops', spec, namespace));
const use = (spec: Partial<SympoziumInstance['spec']> = {}) => bench.kube.put(instance({ skills: ['ops'], ...spec }));

/** Everything in the cluster that belongs to a skill of a run. */
async function left(): Promise<string[]> {
  const kinds = [ROLES, ROLE_BINDINGS, CLUSTER_ROLES, CLUSTER_ROLE_BINDINGS, NETWORK_POLICIES];
  const lists = await Promise.all(
    kinds.map(({ apiVersion, kind, plural }) =>
      bench.kube.list<KubeObject>({ apiVersion, kind, plural }, { labels: 'sympozium.ai/component=run' }),
    ),
  );
  return lists
    .flatMap(({ items }) => items)
    .map(({ kind, metadata }) => `${kind} ${metadata.namespace ?? ''}/${metadata.name}`);
}

const ALL = [
  'Role team/run-x',
  'Role shop/run-team.x',
  'RoleBinding team/run-x',
  'RoleBinding shop/run-team.x',
  'ClusterRole /sympozium-run-team.x',
  'ClusterRoleBinding /sympozium-run-team.x',
  'NetworkPolicy team/run-x',
];

/** A run with rights in two namespaces and in the cluster, and a way through the network. */
async function startWithAll(): Promise<void> {
  bench.kube.put(grants(PODS, { apiGroups: [''], resources: ['nodes'], verbs: ['list'] }));
  bench.kube.put({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop', annotations: { 'sympozium.ai/skills-from': 'team' } } }); // prettier-ignore
  put({
    rbac,
    clusterRBAC: [{ apiGroups: [''], resources: ['nodes'], verbs: ['list'] }],
    egress: { hosts: ['10.1.2.3:443'] },
  });
  use({ skillConfig: { ops: { namespaces: ['team', 'shop'] } } });
  await bench.start();
}

describe('The rights of a run', () => {
  test('R5 are there before its Pod and gone when it has ended', async () => {
    await startWithAll();
    const run = await bench.create();
    expect((await left()).sort()).toEqual([...ALL].sort());
    const writes = bench.kube.writes.filter((write) => write.startsWith('create ') && !write.includes('Event'));
    expect(writes.at(-1)).toBe('create Job team/run-x');
    await bench.putPod(RUNNING);
    expect((await left()).length).toBe(ALL.length);
    await bench.bus.publish({ namespace: 'team', name: 'x' }, succeeded(run.metadata.uid ?? ''));
    await settle();
    expect(await left()).toEqual([]);
    expect((await bench.get()).status?.phase).toBe('Succeeded');
  });

  test('R5 are gone when the run is deleted while it is at work', async () => {
    await startWithAll();
    const run = await bench.create();
    await bench.putPod(RUNNING);
    bench.kube.remove(run);
    await settle();
    expect(await left()).toEqual([]);
  });

  test('R5 are gone after a controller that died with the run', async () => {
    await startWithAll();
    const run = await bench.create();
    await bench.stop();
    bench.kube.remove(run);
    await bench.start();
    await settle();
    expect(await left()).toEqual([]);
  });

  test('R5 of an earlier run of its name are not the next one’s', async () => {
    await startWithAll();
    const first = await bench.create();
    await bench.stop();
    bench.kube.remove(first);
    for (const object of [await bench.job()]) if (object !== undefined) bench.kube.remove(object);
    bench.kube.put(agentRun('x', {}, { metadata: { name: 'x', namespace: 'team', uid: 'second' } }));
    await bench.start();
    await bench.clock.advance(5_000);
    const role = await bench.kube.get(ROLES, { namespace: 'shop', name: 'run-team.x' });
    expect(role?.metadata.annotations).toMatchObject({ 'sympozium.ai/run-uid': 'second' });
  });

  test('R4 belong to one of two runs of the same name in two namespaces', async () => {
    await startWithAll();
    bench.kube.put({ ...instance({ skills: ['ops'] }), metadata: { name: 'helper', namespace: 'shop' } });
    await bench.create();
    const other = bench.kube.put(agentRun('x', {}, { metadata: { name: 'x', namespace: 'shop' } }));
    await settle();
    expect(await left()).toEqual(
      expect.arrayContaining([...ALL, 'Role shop/run-x', 'ClusterRole /sympozium-run-shop.x']),
    );
    bench.kube.remove(other);
    await settle();
    expect((await left()).sort()).toEqual([...ALL].sort());
  });

  test('are not deleted because the local copy does not know the run yet', async () => {
    await startWithAll();
    await bench.create();
    const before = await left();
    bench.kube.put({ ...(await bench.kube.get(ROLES, { namespace: 'shop', name: 'run-team.x' })) } as KubeObject);
    await settle();
    expect(await left()).toEqual(before);
  });

  test('cost a run without skills nothing', async () => {
    await bench.startKnown();
    const run = await bench.create();
    await bench.putPod(RUNNING);
    await bench.bus.publish({ namespace: 'team', name: 'x' }, succeeded(run.metadata.uid ?? ''));
    await settle();
    expect(bench.kube.writes.filter((write) => !/NetworkPolicy|SkillPack/.test(write))).toHaveLength(8);
  });
});

describe('A run does not start', () => {
  async function ending() {
    await bench.start();
    await bench.create();
    await settle();
    const { status } = await bench.get();
    expect(await bench.children()).toEqual([]);
    expect(await left()).toEqual([]);
    expect(status?.phase).toBe('Failed');
    return { reason: status?.reason, message: status?.message };
  }

  test('without one of its skills', async () => {
    use();
    expect(await ending()).toMatchObject({
      reason: 'SkillPackNotFound',
      message: expect.stringContaining("SkillPack 'ops' is neither in namespace 'sympozium-system' nor in 'team'"),
    });
  });

  test('R3 with more than the administrator grants to skills', async () => {
    bench.kube.put(grants(PODS));
    put({ rbac: [{ apiGroups: [''], resources: ['secrets', 'pods'], verbs: ['get'] }] }, 'team');
    use();
    expect(await ending()).toEqual({
      reason: 'RoleNotCreated',
      message:
        "skill 'ops' asks for 'get secrets', which skills may not do in this cluster: take it out of the SkillPack, or have the administrator add it to a ClusterRole with the label sympozium.ai/aggregate-to-skill-grants=true",
    });
  });

  test('R3 with more than the API server lets the controller give', async () => {
    bench.kube.put(grants(PODS));
    put({ rbac });
    use();
    bench.kube.before = (write) => {
      if (write.startsWith('create Role '))
        throw new KubeError('Forbidden', 403, 'roles "run-x" is forbidden: user "c" (groups=["g"]) is attempting to grant RBAC permissions not currently held:\n{APIGroups:[""], Resources:["pods"], Verbs:["get"]}'); // prettier-ignore
    };
    expect(await ending()).toMatchObject({
      reason: 'RoleNotCreated',
      message: expect.stringContaining('its skills ask for {APIGroups:[""], Resources:["pods"], Verbs:["get"]}, which skills may not do'), // prettier-ignore
    });
  });

  test('R3 with rights in the whole cluster from a pack of its own namespace', async () => {
    bench.kube.put(grants(PODS));
    put({ clusterRBAC: rbac }, 'team');
    use();
    expect(await ending()).toMatchObject({ reason: 'ClusterRightsNotAllowed' });
  });

  test('R3 in a namespace that has not let it in', async () => {
    bench.kube.put({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } });
    put({ rbac });
    use({ skillConfig: { ops: { namespaces: ['shop'] } } });
    expect(await ending()).toEqual({
      reason: 'NamespaceNotOpen',
      message:
        "skill 'ops': namespace 'shop' is not open to skills from 'team': have its administrator annotate it with sympozium.ai/skills-from=team",
    });
  });

  test('R9 without the Secret of a skill', async () => {
    put({ sidecar: { image: 'registry/sympozium:1', secretRef: 'git-token' } });
    use();
    bench.check = (_, _instance, secrets) =>
      Promise.resolve(
        secrets?.includes('git-token') === true
          ? { ready: false, reason: 'SecretNotFound', message: "Secret 'git-token' is missing" }
          : { ready: true },
      );
    expect(await ending()).toEqual({ reason: 'SecretNotFound', message: "Secret 'git-token' is missing" });
  });

  test('with a tool that two skills offer', async () => {
    const tools = [{ name: 'look', description: 'Looks.', exec: ['look'] }];
    bench.kube.put(skillPack('ops', { tools }));
    bench.kube.put(skillPack('other', { tools }));
    use({ skills: ['ops', 'other'] });
    expect(await ending()).toMatchObject({ reason: 'ToolConflict' });
  });

  test('with a skill or an image that its policy does not list', async () => {
    bench.kube.put(policy('default', { images: { registries: ['ghcr.io/acme'] } }));
    bench.kube.put(skillPack('ops', { sidecar: { image: 'ghcr.io/acme-evil/x:1' } }));
    use();
    expect(await ending()).toMatchObject({
      reason: 'PolicyViolation',
      message: expect.stringContaining("skill 'ops': image 'ghcr.io/acme-evil/x:1' is not allowed"),
    });
  });

  test('where a pack of its own namespace wants out, and the policy lets nobody', async () => {
    bench.kube.put(policy('default', { template: 'Default' }));
    put({ egress: { hosts: ['10.0.0.0/8:443'] } }, 'team');
    use();
    expect(await ending()).toMatchObject({
      reason: 'PolicyViolation',
      message: expect.stringContaining("skill 'ops' wants to connect to '10.0.0.0/8:443', but policy 'default'"),
    });
  });

  test('with a Role of its name that belongs to someone else', async () => {
    bench.kube.put(grants(PODS));
    put({ rbac });
    use();
    bench.kube.put({ apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role', metadata: { name: 'run-x', namespace: 'team' }, rules: [] } as KubeObject); // prettier-ignore
    expect(await ending()).toEqual({
      reason: 'NameConflict',
      message: "Role 'run-x' in namespace 'team' belongs to someone else: delete it, or give the run another name",
    });
  });
});

test('A pack of the system namespace comes before one of the same name beside the run', async () => {
  put({ instructions: 'The administrator’s.' });
  put({ instructions: 'Mine.' }, 'team');
  use();
  await bench.start();
  await bench.create();
  expect(bench.bus.tasks.get('team/x')?.task.systemPrompt).toContain('The administrator’s.');
});

test.each([
  ['ErrImageNeverPull', { waiting: { reason: 'ErrImageNeverPull' } }, 'ImagePullFailed', "container 'skill-ops'"],
  ['an exit', { terminated: { exitCode: 3, message: 'no token' } }, 'SkillLost', "skill 'ops' ended with exit code 3"],
  ['a crash', { terminated: { exitCode: 137, reason: 'OOMKilled' } }, 'SkillLost', "skill 'ops' ran out of memory"],
])('A run fails when %s takes a sidecar from it', async (_, state, reason, words) => {
  put({});
  use();
  await bench.start();
  await bench.create();
  await bench.putPod({ ...RUNNING, 'skill-ops': state } as Parameters<typeof bench.putPod>[0]);
  await bench.clock.advance(5_000);
  const { status } = await bench.get();
  expect(status).toMatchObject({ phase: 'Failed', reason, message: expect.stringContaining(words) });
  expect(await bench.kube.get(AGENT_RUNS, { namespace: 'team', name: 'x' })).toBeDefined();
});
