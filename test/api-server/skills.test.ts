import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { parseAllDocuments } from 'yaml';
import type { AgentRun } from '../../lib/api/v1alpha1/agent-run.ts';
import type { SkillPack } from '../../lib/api/v1alpha1/skill-pack.ts';
import { builtinRules } from '../../lib/constructs/skill-grants.ts';
import { SILENT } from '../../operator/log.ts';
import type { KubeClient } from '../../operator/kube/client.ts';
import type { KubeObject, Resource } from '../../operator/kube/port.ts';
import {
  AGENT_RUNS, CLUSTER_ROLE_BINDINGS, CLUSTER_ROLES, INSTANCES, JOBS, NAMESPACES, NETWORK_POLICIES, POLICIES,
  ROLE_BINDINGS, ROLES, SERVICE_ACCOUNTS, SKILL_PACKS, type Role,
} from '../../operator/kube/resources.ts'; // prettier-ignore
import { systemClock as clock } from '../../operator/main/process.ts';
import { ApiServer } from '../support/api-server.ts';
import { FakeBus, refOf, startControlPlane, type ControlPlane } from '../support/control-plane.ts';
import { eventually } from '../support/eventually.ts';
import { must } from '../support/must.ts';
import { agentRun, instance, skillPack, succeeded } from '../support/objects.ts';

/** Rights against a real API server: what it refuses is refused by Kubernetes itself, and what is gone gives no access. */

const SYSTEM = 'sympozium-system';
const KINDS = [ROLES, ROLE_BINDINGS, CLUSTER_ROLES, CLUSTER_ROLE_BINDINGS, NETWORK_POLICIES] as const;
const PODS = [{ apiGroups: [''], resources: ['pods'], verbs: ['get', 'list'] }];
const NODES = [{ apiGroups: [''], resources: ['nodes'], verbs: ['list'] }];

interface Review extends KubeObject {
  readonly spec: object;
  readonly status?: { readonly allowed: boolean };
}
const REVIEWS: Resource<Review> = {
  apiVersion: 'authorization.k8s.io/v1',
  kind: 'SubjectAccessReview',
  plural: 'subjectaccessreviews',
};

let server: ApiServer;
let admin: KubeClient;
let controller: KubeClient;
let plane: ControlPlane;
let bus: FakeBus;
let runs = 0;

/** `kubectl auth can-i`, as the ServiceAccount of a run. */
async function can(run: AgentRun, verb: string, kind: string, namespace?: string): Promise<boolean> {
  const [resource, subresource] = kind.split('/');
  const group = kind === 'toolapprovals' || kind === 'agentruns' ? 'sympozium.ai' : '';
  const { namespace: home = '', name } = run.metadata;
  const answer = await admin.create(REVIEWS, {
    apiVersion: REVIEWS.apiVersion,
    kind: REVIEWS.kind,
    metadata: { name: '' },
    spec: {
      user: `system:serviceaccount:${home}:run-${name}`,
      groups: ['system:serviceaccounts', `system:serviceaccounts:${home}`, 'system:authenticated'],
      resourceAttributes: { verb, resource, subresource, namespace, group },
    },
  });
  return answer.status?.allowed === true;
}

/** What is left of the rights of all runs. */
async function left(): Promise<string[]> {
  const lists = await Promise.all(
    KINDS.map((resource) =>
      admin.list(resource as Resource<KubeObject>, { labels: 'sympozium.ai/component=run,sympozium.ai/run-namespace' }),
    ),
  );
  return lists.flatMap(({ items }, index) =>
    items.map(({ metadata }) => `${KINDS[index]?.kind ?? ''} ${metadata.namespace ?? ''}/${metadata.name}`),
  );
}

const pack = (spec: Partial<SkillPack['spec']>, namespace = 'team', name = 'ops') =>
  admin.create(SKILL_PACKS, skillPack(name, spec, namespace));

/** Creates a run in the namespace, and waits until it has a Job or has failed. */
async function start(namespace = 'team', name = `r${String((runs += 1))}`): Promise<AgentRun> {
  const object = agentRun(name);
  await admin.create(AGENT_RUNS, { ...object, metadata: { ...object.metadata, namespace } });
  return eventually(async () => {
    const job = await admin.get(JOBS, { namespace, name: `run-${name}` });
    const run = must(await admin.get(AGENT_RUNS, { namespace, name }));
    return job !== undefined || run.status?.phase === 'Failed' ? run : undefined;
  }, 20_000);
}

const use = async (namespace: string, namespaces?: string[]) => {
  const object = instance({ skills: ['ops'], ...(namespaces && { skillConfig: { ops: { namespaces } } }) });
  await admin.create(INSTANCES, { ...object, metadata: { ...object.metadata, namespace } });
};

beforeAll(async () => {
  server = await ApiServer.start();
  admin = server.client();
  for (const file of ['0001-namespace', '0002-rbac']) {
    for (const document of parseAllDocuments(readFileSync(`dist/${file}.yaml`, 'utf8'))) {
      const object = document.toJS() as KubeObject;
      const plural = `${object.kind.toLowerCase()}s`;
      await admin.create({ apiVersion: object.apiVersion, kind: object.kind, plural }, object);
    }
  }
  for (const name of ['team', 'shop', 'closed']) await server.namespace(name);
  const shop = must(await admin.get(NAMESPACES, { name: 'shop' }));
  const annotations = { 'sympozium.ai/skills-from': 'team' };
  await admin.replace(NAMESPACES, { ...shop, metadata: { ...shop.metadata, annotations } });
  // There is no controller manager here, which adds the rules up.
  const sum: Role = must(await admin.get(CLUSTER_ROLES, { name: 'sympozium-skill-grants' }));
  await admin.replace(CLUSTER_ROLES, { ...sum, rules: [...(builtinRules() as Role['rules'] & object), ...NODES] });
  controller = server.client('controller', await server.token(SYSTEM, 'sympozium-controller'));
  await eventually(() => controller.list(AGENT_RUNS).then(Boolean, () => false), 20_000);
  bus = new FakeBus();
  plane = await startControlPlane({ kube: controller, bus, clock, log: SILENT });
  await eventually(async () => (await admin.list(POLICIES, { namespace: SYSTEM })).items.length === 3, 20_000);
}, 120_000);
afterAll(async () => {
  await plane.stop();
  for (const client of [admin, controller]) client.close();
  await server.remove();
});
beforeEach(async () => {
  const own = [AGENT_RUNS, INSTANCES, SKILL_PACKS] as readonly Resource<KubeObject>[];
  for (const resource of own) {
    for (const namespace of ['team', 'shop', 'closed']) {
      for (const { metadata } of (await admin.list(resource, { namespace })).items)
        await admin.delete(resource, metadata);
    }
  }
  await admin.delete(SKILL_PACKS, { namespace: SYSTEM, name: 'ops' });
  await eventually(async () => (await left()).length === 0, 10_000);
});

describe('R3 Nobody gets more through a SkillPack than the administrator grants to skills:', () => {
  test.each([
    ['Secrets', { apiGroups: [''], resources: ['secrets'], verbs: ['get'] }],
    ['roles, though the controller has them', { apiGroups: ['rbac.authorization.k8s.io'], resources: ['rolebindings'], verbs: ['create'] }], // prettier-ignore
    ['Jobs, though the controller has them', { apiGroups: ['batch'], resources: ['jobs'], verbs: ['create'] }],
    ['tokens', { apiGroups: [''], resources: ['serviceaccounts/token'], verbs: ['create'] }],
  ])('%s', async (_, rule) => {
    await pack({ rbac: [rule] });
    await use('team');
    const { status, metadata } = await start();
    const right = `${rule.verbs[0] ?? ''} ${rule.resources[0] ?? ''}`;
    expect(status).toMatchObject({
      phase: 'Failed',
      reason: 'RoleNotCreated',
      message: expect.stringContaining(right),
    });
    expect(await admin.get(JOBS, { namespace: 'team', name: `run-${metadata.name}` })).toBeUndefined();
    expect(await left()).toEqual([]);
  });

  test('and the API server itself refuses the controller’s Role if it tried', async () => {
    const role: Role = {
      apiVersion: ROLES.apiVersion,
      kind: 'Role',
      metadata: { name: 'too-much', namespace: 'team' },
      rules: [{ apiGroups: [''], resources: ['secrets'], verbs: ['get'] }],
    };
    await expect(controller.create(ROLES, role)).rejects.toMatchObject({ code: 'Forbidden', message: expect.stringContaining('not currently held') }); // prettier-ignore
    await admin.create(ROLES, role);
    const binding = {
      apiVersion: ROLE_BINDINGS.apiVersion,
      kind: 'RoleBinding',
      metadata: { name: 'too-much', namespace: 'team' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'too-much' },
      subjects: [{ kind: 'ServiceAccount', name: 'run-x', namespace: 'team' }],
    };
    await expect(controller.create(ROLE_BINDINGS, binding)).rejects.toMatchObject({ code: 'Forbidden' });
    await admin.delete(ROLES, role.metadata);
  });

  test('wildcards and raising oneself, which the schema refuses', async () => {
    for (const rule of [
      { apiGroups: [''], resources: ['*'], verbs: ['get'] },
      { apiGroups: ['*'], resources: ['pods'], verbs: ['get'] },
      { apiGroups: [''], resources: ['pods'], verbs: ['*'] },
      { apiGroups: ['rbac.authorization.k8s.io'], resources: ['roles'], verbs: ['escalate'] },
    ]) {
      await expect(pack({ rbac: [rule] })).rejects.toMatchObject({ code: 'Invalid' });
    }
  });

  test('rights in the whole cluster from a pack of its own', async () => {
    await pack({ clusterRBAC: NODES });
    await use('team');
    expect((await start()).status).toMatchObject({ phase: 'Failed', reason: 'ClusterRightsNotAllowed' });
  });

  test('rights in a namespace that has not opened itself', async () => {
    await pack({ rbac: PODS });
    await use('team', ['closed']);
    const run = await start();
    expect(run.status).toMatchObject({ phase: 'Failed', reason: 'NamespaceNotOpen' });
    expect(await can(run, 'get', 'pods', 'closed')).toBe(false);
  });
});

describe('The rights of a run', () => {
  test('R1 R5 are its own, are exactly those of its skills, and are gone with it', async () => {
    await pack({ rbac: PODS, clusterRBAC: NODES }, SYSTEM);
    await use('team', ['team', 'shop']);
    const [run, other] = [await start(), await start()];
    expect(await can(run, 'list', 'pods', 'team')).toBe(true);
    expect(await can(run, 'list', 'pods', 'shop')).toBe(true);
    expect(await can(run, 'list', 'nodes')).toBe(true);
    for (const [verb, resource] of [
      ['delete', 'pods'],
      ['get', 'secrets'],
      ['create', 'pods/exec'],
      ['get', 'pods/log'],
    ] as const)
      // prettier-ignore
      expect([verb, resource, await can(run, verb, resource, 'team')]).toEqual([verb, resource, false]);
    expect(await can(run, 'list', 'pods', 'closed')).toBe(false);
    // R6: neither itself nor others can be approved.
    expect(await can(run, 'update', 'toolapprovals', 'team')).toBe(false);
    expect(await can(run, 'patch', 'agentruns', 'team')).toBe(false);
    const nobody = { ...run, metadata: { ...run.metadata, name: 'nobody' } };
    expect(await can(nobody, 'list', 'pods', 'team')).toBe(false);

    const ended = performance.now();
    await bus.publish(refOf(run), succeeded(run.metadata.uid ?? ''));
    await eventually(async () => !(await can(run, 'list', 'pods', 'team')) && !(await can(run, 'list', 'pods', 'shop')) && !(await can(run, 'list', 'nodes'))); // prettier-ignore
    expect(performance.now() - ended).toBeLessThan(5_000);
    expect((await left()).filter((name) => name.includes(run.metadata.name))).toEqual([]);
    expect(await can(other, 'list', 'pods', 'shop')).toBe(true);
  });

  test('R4 are not those of a run of the same name in another namespace', async () => {
    await pack({ rbac: PODS, clusterRBAC: NODES }, SYSTEM);
    await use('team');
    await use('closed');
    const [mine, theirs] = [await start('team', 'twin'), await start('closed', 'twin')];
    expect([await can(mine, 'list', 'nodes'), await can(theirs, 'list', 'nodes')]).toEqual([true, true]);
    expect([await can(mine, 'list', 'pods', 'closed'), await can(theirs, 'list', 'pods', 'team')]).toEqual([
      false,
      false,
    ]);
    await admin.delete(AGENT_RUNS, mine.metadata);
    await eventually(async () => !(await can(mine, 'list', 'nodes')), 10_000);
    expect(await can(theirs, 'list', 'nodes')).toBe(true);
    expect(await can(theirs, 'list', 'pods', 'closed')).toBe(true);
  });

  test('R5 are gone when it is deleted at work, also while no controller was there', async () => {
    await pack({ rbac: PODS, egress: { hosts: ['10.0.0.0/8:443'] } }, SYSTEM);
    await use('team', ['team', 'shop']);
    const run = await start();
    expect(await left()).toHaveLength(5);
    await plane.stop();
    await admin.delete(AGENT_RUNS, run.metadata);
    await eventually(async () => (await admin.get(AGENT_RUNS, run.metadata)) === undefined);
    plane = await startControlPlane({ kube: controller, bus, clock, log: SILENT });
    await eventually(async () => (await left()).length === 0, 10_000);
    expect(await can(run, 'list', 'pods', 'shop')).toBe(false);
    expect(await admin.get(SERVICE_ACCOUNTS, { namespace: 'team', name: `run-${run.metadata.name}` })).toBeDefined(); // no garbage collector here
  });
});
