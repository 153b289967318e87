import { describe, expect, test } from '@jest/globals';
import { podlessOutcome, podOutcome } from '../../../../operator/controllers/agent-run/pod-outcome.ts';
import type { Job, Pod } from '../../../../operator/kube/resources.ts';
import { pod } from '../../../support/objects.ts';

const running = { running: {} };
const waiting = (reason: string, message = 'the kubelet says so') => ({ waiting: { reason, message } });
const exited = (exitCode: number, reason = exitCode === 0 ? 'Completed' : 'Error') => ({
  terminated: { exitCode, reason },
});
const disrupted = (reason: string): Pod => {
  const conditions = [{ type: 'DisruptionTarget', status: 'True', reason, message: 'someone made room.' }];
  return pod({ agent: running, bridge: running }, { metadata: { deletionTimestamp: 'now' }, status: { conditions } });
};
const deleted = (agent: Parameters<typeof pod>[0]['agent'] = running) =>
  pod({ agent, bridge: running }, { metadata: { deletionTimestamp: 'now' } });

describe('A Pod', () => {
  test.each<[string, Pod, string, number]>([
    ['an image name that is none', pod({ agent: waiting('InvalidImageName') }), 'ImagePullFailed', 0],
    ['an image that may not be pulled', pod({ agent: waiting('ErrImageNeverPull') }), 'ImagePullFailed', 0],
    ['an image that is not found', pod({ agent: waiting('ErrImagePull'), bridge: running }), 'ImagePullFailed', 20_000],
    ['an image that is tried again', pod({ bridge: waiting('ImagePullBackOff') }), 'ImagePullFailed', 20_000],
    ['a config that is wrong', pod({ agent: waiting('CreateContainerConfigError') }), 'ContainerCannotStart', 0],
    ['a container that is refused', pod({ agent: waiting('CreateContainerError') }), 'ContainerCannotStart', 0],
    [
      'a command that is not there',
      pod({ agent: waiting('RunContainerError'), bridge: running }),
      'ContainerCannotStart',
      0,
    ],
    ['a command that is not there, told late', pod({ agent: exited(128, 'StartError') }), 'ContainerCannotStart', 0],
    ['an eviction', disrupted('EvictionByEvictionAPI'), 'Evicted', 3000],
    ['a preemption', disrupted('PreemptionByScheduler'), 'Evicted', 3000],
    [
      'pressure on the node',
      pod({}, { status: { phase: 'Failed', reason: 'Evicted', message: 'low on memory' } }),
      'Evicted',
      3000,
    ],
    ['a taint', disrupted('DeletionByTaintManager'), 'NodeLost', 3000],
    ['a node that is gone', disrupted('DeletionByPodGC'), 'NodeLost', 3000],
    ['a deletion', deleted(), 'PodDeleted', 3000],
    ['a deletion that has killed the agent already', deleted(exited(143)), 'PodDeleted', 3000],
    ['too much memory', pod({ agent: exited(137, 'OOMKilled'), bridge: running }), 'AgentOutOfMemory', 0],
    ['a crash', pod({ agent: exited(1), bridge: running }), 'AgentCrashed', 3000],
    ['an agent without a result', pod({ agent: exited(0), bridge: running }), 'NoResult', 10_000],
    ['an agent and a bridge without a result', pod({ agent: exited(0), bridge: exited(0) }), 'NoResult', 10_000],
    ['a bridge that crashed', pod({ agent: running, bridge: exited(1) }), 'BridgeLost', 3000],
    [
      'a bridge that crashed and took the agent along',
      pod({ agent: exited(1), bridge: exited(2) }),
      'BridgeLost',
      3000,
    ],
    ['a bridge that ended first', pod({ agent: running, bridge: exited(0) }), 'BridgeLost', 3000],
    [
      'a node without room',
      pod({}, { status: { phase: 'Failed', reason: 'OutOfmemory', message: 'no room' } }),
      'PodRejected',
      3000,
    ],
  ])('with %s has failed', (_, given, reason, graceMs) => {
    const finding = podOutcome(given);
    expect(finding).toMatchObject({ kind: 'failed', reason, graceMs });
    expect(finding).toHaveProperty('message', expect.stringMatching(/^[^.]*[a-z0-9'].*[^.]$/));
  });

  test('quotes what the kubelet says', () => {
    const message = 'rpc error: manifest for ghcr.io/me/agent:v9 not found.';
    expect(podOutcome(pod({ agent: waiting('ErrImagePull', message) }))).toHaveProperty(
      'message',
      "the image of container 'agent' can't be pulled: rpc error: manifest for ghcr.io/me/agent:v9 not found; correct its name, or let the nodes reach its registry",
    );
  });

  test('names the exit code', () => {
    expect(podOutcome(pod({ agent: exited(3) }))).toHaveProperty('message', expect.stringContaining('exit code 3'));
  });

  test('names the node that was lost', () => {
    expect(podOutcome(disrupted('DeletionByTaintManager'))).toHaveProperty(
      'message',
      expect.stringContaining("node 'node-1'"),
    );
  });

  test('that nobody can place is held up', () => {
    const conditions = [
      { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: '0/1 nodes: too many pods.' },
    ];
    expect(podOutcome(pod({}, { status: { conditions } }))).toEqual({
      kind: 'held',
      reason: 'Unschedulable',
      message: 'no node can take the Pod now: 0/1 nodes: too many pods',
      graceMs: 5000,
    });
  });

  test.each<[string, Pod, string]>([
    ['without containers', pod({}), 'waiting'],
    [
      'whose containers are created',
      pod({ agent: waiting('ContainerCreating'), bridge: waiting('ContainerCreating') }),
      'waiting',
    ],
    ['whose bridge came first', pod({ agent: waiting('PodInitializing'), bridge: running }), 'waiting'],
    ['whose containers run', pod({ agent: running, bridge: running }), 'running'],
  ])('%s is not judged', (_, given, kind) => {
    expect(podOutcome(given).kind).toBe(kind);
  });
});

describe('A Job without a Pod', () => {
  const job = (type?: string, reason?: string): Job => ({
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name: 'run-x' },
    status: {
      conditions: type === undefined ? [] : [{ type, status: 'True', ...(reason === undefined ? {} : { reason }) }],
    },
  });

  test.each<[string, Job, boolean, object]>([
    ['waits for it', job(), false, { kind: 'waiting' }],
    ['has lost it', job(), true, { kind: 'failed', reason: 'PodDeleted', graceMs: 3000 }],
    [
      'lost it before anyone saw it',
      job('Failed', 'BackoffLimitExceeded'),
      false,
      { kind: 'failed', reason: 'PodDeleted' },
    ],
    ['is about to fail', job('FailureTarget', 'BackoffLimitExceeded'), false, { kind: 'failed', reason: 'PodDeleted' }],
    [
      'ran out of time',
      job('Failed', 'DeadlineExceeded'),
      true,
      { kind: 'failed', reason: 'DeadlineExceeded', graceMs: 0 },
    ],
  ])('%s', (_, given, hadPod, expected) => {
    expect(podlessOutcome(given, hadPod)).toMatchObject(expected);
  });
});
