import { describe, expect, test } from '@jest/globals';
import { KubeError } from '../../../../operator/kube/errors.ts';
import { settle } from '../../../support/fake-clock.ts';
import { agentRun, instance } from '../../../support/objects.ts';
import { Bench } from './bench.ts';

const bench = Bench.make();

const NETWORK = ['apply NetworkPolicy team/sympozium-run-deny-all', 'apply NetworkPolicy team/sympozium-run-allow'];

describe('A run that can not start', () => {
  const failure = async () => {
    const { status } = await bench.get();
    expect(status?.phase).toBe('Failed');
    expect(await bench.events()).toEqual([`Warning ${status?.reason ?? ''}`]);
    expect(await bench.children()).toEqual([]);
    return status;
  };

  test('names an instance that is not there', async () => {
    await bench.start();
    await bench.create(agentRun('x', { instanceRef: 'nobody' }));
    expect(await failure()).toMatchObject({
      reason: 'InstanceNotFound',
      message:
        "AgentRun 'x' names SympoziumInstance 'nobody', which is not in namespace 'team': create the instance, then the run again",
    });
  });

  test('names a policy that is not there', async () => {
    bench.kube.put(instance({ policy: 'strict' }));
    await bench.start();
    await bench.create();
    expect(await failure()).toMatchObject({
      reason: 'PolicyNotFound',
      message:
        "SympoziumPolicy 'strict' is neither in namespace 'team' nor in 'sympozium-system': create it, or name another one (there are 'default', 'permissive', 'restrictive')",
    });
  });

  test('has no credentials', async () => {
    bench.check = () =>
      Promise.resolve({ ready: false, reason: 'CredentialsNotFound', message: "Secret 'key' is not there: create it" });
    await bench.start();
    await bench.create();
    expect(await failure()).toMatchObject({
      reason: 'CredentialsNotFound',
      message: "Secret 'key' is not there: create it",
    });
  });

  test('may not have a Job', async () => {
    bench.kube.before = (write) => {
      if (write.startsWith('create Job')) throw new KubeError('Forbidden', 403, 'not in this namespace');
    };
    await bench.start();
    await bench.create();
    await settle();
    const { status } = await bench.get();
    expect(status).toMatchObject({
      phase: 'Failed',
      reason: 'JobNotCreated',
      message: "the Job of the run can't be created: not in this namespace",
    });
    expect(await bench.children()).toEqual([]);
  });

  test("finds its Job's name taken", async () => {
    bench.kube.put({ apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'run-x', namespace: 'team' } });
    await bench.start();
    await bench.create();
    expect(await bench.get()).toHaveProperty(
      'status',
      expect.objectContaining({ phase: 'Failed', reason: 'NameConflict' }),
    );
    expect(await bench.job()).toBeDefined();
  });

  test('waits until the Job of its predecessor is gone', async () => {
    const ownerReferences = [
      { apiVersion: 'sympozium.ai/v1alpha1', kind: 'AgentRun', name: 'x', uid: 'before', controller: true },
    ];
    const old = bench.kube.put({
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: { name: 'run-x', namespace: 'team', ownerReferences },
    });
    await bench.start();
    await bench.create();
    expect(await bench.get()).not.toHaveProperty('status');
    bench.kube.remove(old);
    await bench.clock.advance(1_000);
    expect((await bench.job())?.metadata.ownerReferences?.[0]?.uid).toBe((await bench.get()).metadata.uid);
  });
});

describe('The check of credentials', () => {
  test('is left out when the instance is known to be ready', async () => {
    let asked = 0;
    bench.check = () => Promise.resolve({ ready: true, asked: (asked += 1) });
    await bench.start();
    const before = asked; // by the instance's own reconcile
    await bench.create();
    expect(asked).toBe(before);
    expect(await bench.job()).toBeDefined();
  });

  test("doesn't hold a run up when the gateway is away", async () => {
    bench.check = () => Promise.reject(new Error('connection refused'));
    await bench.start();
    await bench.create();
    expect(await bench.job()).toBeDefined();
  });
});

test('Nothing is written for a namespace that is isolated already', async () => {
  await bench.start();
  await settle();
  expect(bench.kube.writes.filter((write) => NETWORK.includes(write))).toEqual(NETWORK);
  await bench.create();
  expect(bench.kube.writes.filter((write) => NETWORK.includes(write))).toEqual(NETWORK);
});
