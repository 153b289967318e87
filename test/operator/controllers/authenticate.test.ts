import { beforeEach, describe, expect, test } from '@jest/globals';
import type { SympoziumInstance } from '../../../lib/api/v1alpha1/instance.ts';
import { authenticate } from '../../../operator/controllers/authenticate.ts';
import { keyOf, type KubeObject } from '../../../operator/kube/port.ts';
import type { Deployment, TokenReview } from '../../../operator/kube/resources.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { FakeKube } from '../../support/fake-kube.ts';
import { agentRun, instance } from '../../support/objects.ts';

const EMPTY = { get: () => undefined, list: () => [], synced: true };
const GOOD: TokenReview['status'] = {
  authenticated: true,
  audiences: ['sympozium-bus'],
  user: {
    username: 'system:serviceaccount:team:run-x',
    extra: { 'authentication.kubernetes.io/pod-name': ['run-x-abcde'] },
  },
};

let kube: FakeKube;

beforeEach(() => {
  kube = new FakeKube();
  kube.put(agentRun('x', {}, { status: { phase: 'Running' } }));
});

/** What is known of web endpoints. */
interface Web {
  readonly instances?: readonly SympoziumInstance[];
  readonly deployments?: readonly Deployment[];
}
const cacheOf = <T extends KubeObject>(objects: readonly T[] = []) => ({
  ...EMPTY,
  get: (key: string) => objects.find((object) => keyOf(object) === key),
});
const ask = (status: TokenReview['status'], web: Web = {}) => {
  kube.fill = (object) => ({ ...object, status }) as KubeObject;
  const clock = new FakeClock('2026-01-01T00:01:00Z');
  const caches = { runs: EMPTY, jobs: EMPTY, instances: cacheOf(web.instances), deployments: cacheOf(web.deployments) };
  return authenticate({ kube, clock, ...caches })('the-token');
};
const user = (username: string, pod?: string): TokenReview['status'] => ({
  ...GOOD,
  user: { username, ...(pod === undefined ? {} : { extra: { 'authentication.kubernetes.io/pod-name': [pod] } }) },
});

describe('A token', () => {
  test("of a run's Pod is that run's, for as long as the run may take", async () => {
    kube.put({
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: {
        name: 'run-x',
        namespace: 'team',
        creationTimestamp: '2026-01-01T00:00:30Z',
        annotations: { 'sympozium.ai/timeout-seconds': '90' },
      },
    });
    // 90 s from its start, of which 30 have gone, and a minute for the result.
    expect(await ask(GOOD)).toEqual({ namespace: 'team', name: 'x', expiresInSeconds: 120 });
  });

  test.each([
    ['long', '86400', 300],
    ['overdue, because it waits for a person', '1', 60],
  ])('of a run that is %s is looked at again within five minutes', async (_, seconds, expiresInSeconds) => {
    const metadata = { name: 'run-x', namespace: 'team', creationTimestamp: '2026-01-01T00:00:00Z', annotations: { 'sympozium.ai/timeout-seconds': seconds } }; // prettier-ignore
    kube.put({ apiVersion: 'batch/v1', kind: 'Job', metadata });
    expect(await ask(GOOD)).toMatchObject({ expiresInSeconds });
  });

  test.each<[string, TokenReview['status'], string]>([
    [
      'that is not valid',
      { authenticated: false, error: 'expired' },
      "not valid for audience 'sympozium-bus': expired",
    ],
    ['for someone else', { ...GOOD, audiences: ['sympozium-gateway'] }, "not valid for audience 'sympozium-bus'"],
    ['of a person', user('alice'), "'alice' is not the ServiceAccount of a run or of a web endpoint"],
    [
      'of another ServiceAccount',
      user('system:serviceaccount:team:default', 'x'),
      'is not the ServiceAccount of a run or of a web endpoint',
    ],
    ['that is not bound to a Pod', user('system:serviceaccount:team:run-x'), "is bound to Pod ''"],
    ["of another run's Pod", user('system:serviceaccount:team:run-x', 'run-y-abcde'), "is bound to Pod 'run-y-abcde'"],
    [
      'of a run that is not there',
      user('system:serviceaccount:team:run-z', 'run-z-1'),
      "there is no AgentRun 'z' in namespace 'team'",
    ],
  ])('%s is refused', async (_, status, why) => {
    expect(await ask(status)).toEqual({ denied: expect.stringContaining(why) });
  });

  test('of a run that has ended is refused', async () => {
    kube.put(agentRun('x', {}, { status: { phase: 'Failed' } }));
    expect(await ask(GOOD)).toEqual({ denied: "AgentRun 'x' in namespace 'team' has ended" });
  });
});

describe("The token of a web endpoint's Pod", () => {
  const token = user('system:serviceaccount:team:web-helper', 'web-helper-abc-12345');
  const served = {
    ...instance({ skills: ['web-endpoint'] }),
    metadata: { name: 'helper', namespace: 'team', uid: 'uid-1' },
  };
  const owner = { apiVersion: served.apiVersion, kind: served.kind, name: 'helper', uid: 'uid-1', controller: true };
  const deployment: Deployment = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web-helper', namespace: 'team', ownerReferences: [owner] },
    spec: {},
  };

  test('hears the runs of its namespace', async () => {
    expect(await ask(token, { instances: [served], deployments: [deployment] })).toEqual({
      name: 'web-helper',
      listensTo: 'team',
      expiresInSeconds: 3600,
    });
  });

  test.each<[string, TokenReview['status'], Web, string]>([
    ['without an instance', token, { deployments: [deployment] }, "SympoziumInstance 'helper' in namespace 'team' has no web endpoint"],
    ['of an instance that is not served', token, { instances: [{ ...served, spec: instance().spec }], deployments: [deployment] }, 'has no web endpoint'],
    ['without a Deployment', token, { instances: [served] }, "Deployment 'web-helper' in namespace 'team' is not the web endpoint's"],
    [
      "whose Deployment is somebody else's",
      token,
      { instances: [served], deployments: [{ ...deployment, metadata: { ...deployment.metadata, ownerReferences: [{ ...owner, uid: 'uid-2' }] } }] },
      "is not the web endpoint's",
    ],
    ['in another Pod', user('system:serviceaccount:team:web-helper', 'shell'), { instances: [served], deployments: [deployment] }, "is bound to Pod 'shell', which is not its endpoint's"],
    ['of another namespace', user('system:serviceaccount:other:web-helper', 'web-helper-1'), { instances: [served], deployments: [deployment] }, "in namespace 'other' has no web endpoint"],
  ])('%s is refused', async (_, status, web, why) => {
    expect(await ask(status, web)).toEqual({ denied: expect.stringContaining(why) });
  }); // prettier-ignore
});
