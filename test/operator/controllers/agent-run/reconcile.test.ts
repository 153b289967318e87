import { describe, expect, test } from '@jest/globals';
import type { KubeEvent } from '../../../../operator/kube/resources.ts';
import { refOf } from '../../../support/control-plane.ts';
import { settle } from '../../../support/fake-clock.ts';
import { must } from '../../../support/must.ts';
import { agentRun, policy, succeeded } from '../../../support/objects.ts';
import { Bench, RUNNING } from './bench.ts';

const bench = Bench.make();

describe('A run that succeeds', () => {
  test('costs eight writes, in this order', async () => {
    await bench.startKnown();
    const run = await bench.create();
    await bench.putPod(RUNNING);
    await bench.bus.publish(refOf(run), succeeded(run.metadata.uid ?? ''));
    await settle();
    await bench.clock.advance(120_000);
    expect(bench.kube.writes).toEqual([
      'create ServiceAccount team/run-x',
      'create Job team/run-x',
      'status AgentRun team/x',
      expect.stringMatching(/^create Event team\/x\./),
      'status AgentRun team/x',
      expect.stringMatching(/^create Event team\/x\./),
      'delete Job team/run-x',
      'delete ServiceAccount team/run-x',
    ]);
    expect(await bench.events()).toEqual(['Normal Started', 'Normal Succeeded']);
    expect(await bench.get()).toHaveProperty(
      'status',
      expect.objectContaining({ phase: 'Succeeded', output: 'pong', podName: 'run-x-abcde' }),
    );
    expect(bench.bus.results).toEqual([]);
  });

  test('is told what to do before its Job exists', async () => {
    await bench.start();
    bench.bus.down = new Error('no connection');
    const run = await bench.create(agentRun('x', { toolPolicy: { deny: ['write_file'] } }));
    expect(await bench.job()).toBeUndefined();
    bench.bus.down = undefined;
    await bench.clock.advance(2_000);
    expect(await bench.job()).toBeDefined();
    expect(bench.bus.tasks.get('team/x')).toMatchObject({
      uid: run.metadata.uid,
      task: { input: 'hello', model: 'gpt' },
      limits: { modelCalls: 50 },
      policy: {
        name: 'default',
        layers: [{ source: "policy 'default'" }, { source: "toolPolicy of AgentRun 'x'", deny: ['write_file'] }],
      },
    });
  });

  test('ends when the bus stays down for as long as it may take', async () => {
    await bench.start();
    bench.bus.down = new Error('no connection');
    await bench.create(agentRun('x', { timeout: '30s' }));
    await bench.clock.advance(29_000);
    expect((await bench.get()).status?.phase).not.toBe('Failed');
    await bench.clock.advance(4_000);
    expect((await bench.get()).status).toMatchObject({ phase: 'Failed', reason: 'BusUnreachable' });
    expect((await bench.get()).status?.message).toMatch(/time limit of 30 s: .*no connection/);
  });

  test('may be done before anyone saw it run', async () => {
    await bench.startKnown();
    const run = await bench.create();
    await bench.bus.publish(refOf(run), succeeded(run.metadata.uid ?? ''));
    await settle();
    expect(bench.kube.writes.filter((write) => write.startsWith('status'))).toHaveLength(1);
    expect(await bench.get()).toHaveProperty('status.phase', 'Succeeded');
    expect(await bench.children()).toEqual([]);
  });

  test('never changes again, whatever its Pod or its bridge say', async () => {
    await bench.start();
    const run = await bench.create();
    await bench.putPod(RUNNING);
    await bench.bus.publish(refOf(run), succeeded(run.metadata.uid ?? ''));
    await settle();
    const before = await bench.get();
    expect(await bench.bus.publish(refOf(run), succeeded(run.metadata.uid ?? '', 'another'))).toBe('done');
    await bench.putPod({ agent: { terminated: { exitCode: 1 } } });
    await bench.clock.advance(60_000);
    expect(await bench.get()).toEqual(before);
  });

  test('is recorded although someone labelled it at that very moment', async () => {
    await bench.start();
    const run = await bench.create();
    bench.kube.before = (write) => {
      if (!write.startsWith('status')) return;
      bench.kube.before = () => undefined;
      bench.kube.put({
        ...run,
        metadata: { ...run.metadata, labels: { hurried: 'yes' } },
        status: { phase: 'Pending' },
      });
    };
    expect(await bench.bus.publish(refOf(run), succeeded(run.metadata.uid ?? ''))).toBe('done');
    expect(await bench.get()).toMatchObject({
      metadata: { labels: { hurried: 'yes' } },
      status: { phase: 'Succeeded' },
    });
  });

  test('stays what another controller has made of it a moment ago', async () => {
    await bench.start();
    await bench.create();
    const ended = { phase: 'Succeeded', output: 'pong', completionTime: '2026-01-01T00:00:00Z' } as const;
    bench.kube.before = (write) => {
      if (!write.startsWith('status')) return;
      bench.kube.before = () => undefined;
      bench.kube.put({ ...agentRun('x'), status: ended });
    };
    await bench.putPod(RUNNING); // makes it write that the run is Running
    await bench.clock.advance(10_000);
    expect(await bench.get()).toHaveProperty('status', ended);
  });

  test('is cleaned up after once, though its Job takes its time to go, and again after half a minute', async () => {
    await bench.start();
    bench.kube.lingering = ['Job'];
    const run = await bench.create();
    await bench.bus.publish(refOf(run), succeeded(run.metadata.uid ?? ''));
    await settle();
    await bench.putPod({ agent: { terminated: { exitCode: 0 } } });
    const deletes = () => bench.kube.writes.filter((write) => write.startsWith('delete Job'));
    await bench.clock.advance(29_000);
    expect(deletes()).toHaveLength(1);
    await bench.clock.advance(3_000);
    expect(deletes()).toHaveLength(2);
  });

  test("isn't mistaken for an earlier run of its name", async () => {
    await bench.start();
    const run = await bench.create();
    expect(await bench.bus.publish(refOf(run), succeeded('uid-of-another'))).toBe('done');
    expect(await bench.get()).not.toHaveProperty('status.phase', 'Succeeded');
  });
});

describe('A run under way', () => {
  test('fails at its deadline, to the second', async () => {
    await bench.start();
    await bench.create(agentRun('x', { timeout: '90s' }));
    await bench.putPod(RUNNING);
    await bench.clock.advance(89_900);
    expect(await bench.get()).toHaveProperty('status.phase', 'Running');
    await bench.clock.advance(100);
    expect(await bench.get()).toHaveProperty('status', expect.objectContaining({
      phase: 'Failed',
      reason: 'DeadlineExceeded',
      message: 'the run took longer than its time limit of 90 s: give it a longer timeout',
    })); // prettier-ignore
    expect(await bench.children()).toEqual([]);
  });

  test('fails when its agent crashes, but not before its result had time to come', async () => {
    await bench.start();
    await bench.create();
    await bench.putPod({ agent: { terminated: { exitCode: 3 } }, bridge: { running: {} } });
    await bench.clock.advance(2_900);
    expect(await bench.get()).not.toHaveProperty('status.phase', 'Failed');
    await bench.clock.advance(100);
    expect(await bench.get()).toHaveProperty(
      'status',
      expect.objectContaining({ phase: 'Failed', reason: 'AgentCrashed' }),
    );
    expect(await bench.events()).toEqual(['Warning AgentCrashed']);
  });

  test('succeeds when its result comes after its Pod has gone', async () => {
    await bench.start();
    const run = await bench.create();
    bench.kube.remove(await bench.putPod(RUNNING));
    await settle();
    await bench.clock.advance(2_000);
    await bench.bus.publish(refOf(run), succeeded(run.metadata.uid ?? ''));
    await bench.clock.advance(10_000);
    expect(await bench.get()).toHaveProperty('status.phase', 'Succeeded');
  });

  test('fails when its Pod is deleted', async () => {
    await bench.start();
    await bench.create();
    bench.kube.remove(await bench.putPod(RUNNING));
    await settle();
    await bench.clock.advance(3_000);
    expect(await bench.get()).toHaveProperty('status.reason', 'PodDeleted');
  });

  test.each(['before', 'after'])('fails when its Job is deleted %s a restart of the controller', async (when) => {
    await bench.start();
    await bench.create();
    await bench.putPod(RUNNING);
    const restart = async () => {
      await bench.stop();
      await bench.start();
    };
    if (when === 'after') await restart();
    bench.kube.remove(must(await bench.job()));
    await settle();
    if (when === 'before') await restart();
    expect(await bench.get()).toHaveProperty('status.reason', 'JobDeleted');
    expect(await bench.children()).toEqual([]);
  });

  test('says once that no node can take it, and goes on when one can', async () => {
    await bench.startKnown();
    await bench.create();
    const held = (message: string) => ({
      status: { conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message }] },
    });
    await bench.putPod({}, held('0/1 nodes'));
    await bench.clock.advance(5_000);
    await bench.putPod({}, held('0/2 nodes'));
    await bench.clock.advance(5_000);
    expect(await bench.get()).toHaveProperty(
      'status',
      expect.objectContaining({ phase: 'Pending', reason: 'Unschedulable' }),
    );
    expect(bench.kube.writes.filter((write) => write.startsWith('status AgentRun'))).toHaveLength(1);
    await bench.putPod(RUNNING);
    expect(await bench.get()).toHaveProperty('status.phase', 'Running');
    expect(await bench.get()).not.toHaveProperty('status.reason');
  });

  test('fails when no Pod can be made, in the words of the Job controller', async () => {
    await bench.start();
    await bench.create();
    await bench.clock.advance(29_000);
    const uid = (await bench.job())?.metadata.uid ?? '';
    const event: KubeEvent = {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: 'e', namespace: 'team' },
      involvedObject: { apiVersion: 'batch/v1', kind: 'Job', name: 'run-x', uid },
      type: 'Warning',
      reason: 'FailedCreate',
      message: 'pods "run-x-" is forbidden: violates PodSecurity',
    };
    bench.kube.put(event);
    await bench.clock.advance(1_000);
    expect(await bench.get()).toHaveProperty('status', expect.objectContaining({
      reason: 'PodNotCreated',
      message: 'the Pod of the run can\'t be created: pods "run-x-" is forbidden: violates PodSecurity',
    })); // prettier-ignore
  });

  test('ends when it is cancelled, and leaves nothing behind', async () => {
    await bench.start();
    await bench.create();
    await bench.putPod(RUNNING);
    const run = await bench.get();
    bench.kube.put({ ...run, spec: { ...run.spec, cancelled: true } });
    await settle();
    expect(await bench.get()).toHaveProperty(
      'status',
      expect.objectContaining({ phase: 'Cancelled', reason: 'Cancelled' }),
    );
    expect(await bench.children()).toEqual([]);
    expect(await bench.events()).toEqual(['Normal Started', 'Normal Cancelled']);
  });

  test('gets nothing of a newer image or policy', async () => {
    await bench.start();
    await bench.create();
    const before = await bench.job();
    bench.kube.put(policy('default', { deniedTools: ['read_file'] }));
    await bench.stop();
    await bench.start({ runtimeImage: 'registry/sympozium:2' });
    await bench.putPod(RUNNING);
    expect(await bench.job()).toEqual(before);
    expect((await bench.get()).status?.effectivePolicy?.hash).toBe(
      before?.metadata.annotations?.['sympozium.ai/policy-hash'],
    );
  });
});
