import { beforeEach, describe, expect, test } from '@jest/globals';
import { authenticate } from '../../../operator/controllers/authenticate.ts';
import type { KubeObject } from '../../../operator/kube/port.ts';
import type { TokenReview } from '../../../operator/kube/resources.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { FakeKube } from '../../support/fake-kube.ts';
import { agentRun } from '../../support/objects.ts';

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

const ask = (status: TokenReview['status']) => {
  kube.fill = (object) => ({ ...object, status }) as KubeObject;
  return authenticate({ kube, runs: EMPTY, jobs: EMPTY, clock: new FakeClock('2026-01-01T00:01:00Z') })('the-token');
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

  test.each<[string, TokenReview['status'], string]>([
    [
      'that is not valid',
      { authenticated: false, error: 'expired' },
      "not valid for audience 'sympozium-bus': expired",
    ],
    ['for someone else', { ...GOOD, audiences: ['sympozium-gateway'] }, "not valid for audience 'sympozium-bus'"],
    ['of a person', user('alice'), "'alice' is not the ServiceAccount of a run"],
    [
      'of another ServiceAccount',
      user('system:serviceaccount:team:default', 'x'),
      'is not the ServiceAccount of a run',
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
