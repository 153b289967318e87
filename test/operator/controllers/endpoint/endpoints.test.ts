import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { findCondition } from '../../../../lib/api/conditions.ts';
import type { SympoziumInstance } from '../../../../lib/api/v1alpha1/instance.ts';
import { endpointObjects, type EndpointSettings } from '../../../../operator/controllers/endpoint/desired.ts';
import { contains } from '../../../../operator/controllers/endpoint/contains.ts';
import { KubeError } from '../../../../operator/kube/errors.ts';
import type { KubeObject, Resource } from '../../../../operator/kube/port.ts';
import {
  DEPLOYMENTS, INSTANCES, NETWORK_POLICIES, ROLE_BINDINGS, ROLES, SERVICE_ACCOUNTS, SERVICES,
} from '../../../../operator/kube/resources.ts'; // prettier-ignore
import { Yaml } from 'cdk8s';
import { expectGoldenText } from '../../../lib/support/golden.ts';
import { FakeBus, startControlPlane, type ControlPlane } from '../../../support/control-plane.ts';
import { FakeClock, settle } from '../../../support/fake-clock.ts';
import { FakeKube } from '../../../support/fake-kube.ts';
import { must } from '../../../support/must.ts';
import { instance, policy, settings } from '../../../support/objects.ts';

const KINDS: readonly Resource<KubeObject>[] = [SERVICE_ACCOUNTS, ROLES, ROLE_BINDINGS, NETWORK_POLICIES, SERVICES, DEPLOYMENTS]; // prettier-ignore
const NAME = { namespace: 'team', name: 'web-helper' };
const served = (more: Partial<SympoziumInstance['spec']> = {}, name = 'helper') =>
  instance({ skills: ['web-endpoint'], skillConfig: { 'web-endpoint': { secretRef: 'web-key' } }, ...more }, name);

let kube: FakeKube;
let clock: FakeClock;
let plane: ControlPlane;

beforeEach(async () => {
  kube = new FakeKube(policy('default'));
  clock = new FakeClock();
  plane = await startControlPlane({ kube, bus: new FakeBus(), clock });
  await settle();
});
afterEach(async () => {
  await plane.stop();
});

const put = async (object: KubeObject) => {
  kube.put(object);
  await settle();
  await settle();
};
const there = async () => {
  const found = await Promise.all(KINDS.map((resource) => kube.get(resource, NAME)));
  return KINDS.filter((_, index) => found[index] !== undefined).map(({ kind }) => kind);
};
const condition = async (name = 'helper') => {
  const found = await kube.get(INSTANCES, { namespace: 'team', name });
  return findCondition(found?.status?.conditions, 'EndpointReady');
};
const writes = () => kube.writes.filter((write) => write.includes('/web-') && !write.includes('SkillPack'));
const ALL = KINDS.map(({ kind }) => kind);

describe('An instance with the skill web-endpoint', () => {
  test('gets an endpoint of its own, and says when it serves', async () => {
    await put(served());
    expect(await there()).toEqual(ALL);
    expect(await condition()).toMatchObject({
      status: 'False',
      reason: 'NotReady',
      message: expect.stringContaining('kubectl create secret generic web-key -n team'),
    });
    const deployment = must(await kube.get(DEPLOYMENTS, NAME));
    await put({ ...deployment, status: { availableReplicas: 1 } } as KubeObject);
    expect(await condition()).toMatchObject({ status: 'True', message: expect.stringContaining('http://web-helper.team.svc/v1') }); // prettier-ignore
    expect(writes()).toHaveLength(KINDS.length);
  });

  test('has no endpoint until a key guards it, and is told what to create', async () => {
    await put(served({ skillConfig: {} }));
    expect(await there()).toEqual([]);
    expect(await condition()).toMatchObject({
      status: 'False',
      reason: 'KeyNotConfigured',
      message: expect.stringMatching(/kubectl create secret generic helper-web-key -n team .*spec.skillConfig.web-endpoint.secretRef/), // prettier-ignore
    });
    await put(served());
    expect(await there()).toEqual(ALL);
  });

  test('has none where a policy does not allow the skill', async () => {
    await put(policy('strict', { skills: { allowed: ['k8s-ops'] } }, 'team'));
    await put(served({ policy: 'strict' }));
    expect(await there()).toEqual([]);
    expect(await condition()).toMatchObject({ reason: 'SkillNotAllowed', message: expect.stringContaining("policy 'strict'") }); // prettier-ignore
  });

  test('has none when no Service can have its name', async () => {
    const name = 'x'.repeat(60);
    await put(served({}, name));
    expect(await condition(name)).toMatchObject({ reason: 'NameNotUsable' });
  });

  test('loses it with the skill', async () => {
    await put(served());
    await put(instance());
    expect(await there()).toEqual([]);
    expect(await condition()).toBeUndefined();
  });

  test('gets back what somebody changes or removes', async () => {
    await put(served());
    const role = must(await kube.get(ROLES, NAME));
    await put({ ...role, rules: [{ apiGroups: ['*'], resources: ['*'], verbs: ['*'] }] } as KubeObject);
    expect((await kube.get(ROLES, NAME))?.rules).toEqual(role.rules);
    kube.remove(must(await kube.get(SERVICES, NAME)));
    await settle();
    expect(await there()).toEqual(ALL);
  });

  test("leaves alone what is another's", async () => {
    const theirs = { apiVersion: 'v1', kind: 'Service', metadata: NAME, spec: { selector: { app: 'shop' } } };
    await put(theirs);
    await put(served());
    expect(await condition()).toMatchObject({ reason: 'NameConflict', message: expect.stringContaining("Service 'web-helper' in namespace 'team' is in the way") }); // prettier-ignore
    expect((await kube.get(SERVICES, NAME))?.spec).toEqual(theirs.spec);
    await put(instance());
    expect(await kube.get(SERVICES, NAME)).toBeDefined();
  });

  test('takes over when what was in the way has gone', async () => {
    await put({ apiVersion: 'v1', kind: 'Service', metadata: NAME, spec: {} } as KubeObject);
    await put(served());
    kube.remove(must(await kube.get(SERVICES, NAME)));
    await clock.advance(5_000);
    expect(await there()).toEqual(ALL);
  });

  test('says what the cluster has against it', async () => {
    kube.before = (write) => {
      if (write.startsWith('create Role ')) throw new KubeError('Forbidden', 403, 'POST: attempting to grant RBAC permissions not currently held'); // prettier-ignore
    };
    await put(served());
    expect(await condition()).toMatchObject({ reason: 'EndpointNotCreated', message: expect.stringContaining("the Role of the web endpoint can't be created: POST: attempting to grant") }); // prettier-ignore
  });
});

test('An endpoint consists of this', () => {
  const network = { systemNamespace: 'sympozium-system', dnsNamespace: 'kube-system' };
  const owner = { ...served(), metadata: { name: 'helper', namespace: 'team', uid: 'uid-1' } };
  const cluster: EndpointSettings = { ...settings, network };
  const objects = endpointObjects(owner, { secret: 'web-key', requestsPerMinute: 60 }, cluster);
  expectGoldenText('endpoint', Yaml.stringify(...(Object.values(objects) as object[])));
});

describe('What is there', () => {
  test.each<[string, unknown, unknown, boolean]>([
    ['the same', { a: [1, { b: 'c' }] }, { a: [1, { b: 'c' }] }, true],
    ['with defaults of the server', { a: { b: 1, c: 2 }, d: 3 }, { a: { b: 1 } }, true],
    ['another value', { a: 1 }, { a: 2 }, false],
    ['nothing', undefined, { a: 1 }, false],
    ['a longer list', { a: [1, 2] }, { a: [1] }, false],
    ['a list in place of an object', { a: [] }, { a: {} }, false],
  ])('%s', (_, found, wanted, expected) => {
    expect(contains(found, wanted)).toBe(expected);
  });
});
