import { beforeEach, describe, expect, test } from '@jest/globals';
import type { AgentRun } from '../../../../lib/api/v1alpha1/agent-run.ts';
import { timestamp } from '../../../../operator/runtime/clock.ts';
import { refOf } from '../../../support/control-plane.ts';
import { settle } from '../../../support/fake-clock.ts';
import { must } from '../../../support/must.ts';
import { succeeded } from '../../../support/objects.ts';
import { Bench, RUNNING } from '../agent-run/bench.ts';
import { moves } from './moves.ts';

const bench = Bench.make();
beforeEach(() => {
  bench.kube.created = () => timestamp(bench.clock.date());
});

const MINUTE = 60_000;
const { working, ask, approvals, only, decide } = moves(bench);

/** The checkpoint that the bridge of a run has stored. */
const keepCheckpoint = (run: AgentRun, state: unknown = { messages: [] }) =>
  bench.bus.checkpoints.set('team/x', {
    v: 1,
    uid: run.metadata.uid ?? '',
    ...(state === null ? {} : { state }),
    calls: {},
    asked: ['call-1'],
    usage: { inputTokens: 0, outputTokens: 0, modelCalls: 1, toolCalls: 0 },
  });

describe('A Pod that is lost while calls wait', () => {
  /** The Pod of the current attempt is gone, and the Job controller has noticed. */
  async function losePod(): Promise<void> {
    const job = must(await bench.job());
    const pod = (await bench.kube.list({ apiVersion: 'v1', kind: 'Pod', plural: 'pods' })).items[0];
    if (pod !== undefined) bench.kube.remove(pod);
    bench.kube.put({ ...job, status: { failed: 1, conditions: [{ type: 'Failed', status: 'True' }] } });
    await settle();
    await bench.clock.advance(4000);
  }

  test('does not fail the run: after the decisions another attempt goes on', async () => {
    const run = await working();
    await ask(run);
    await ask(run, 'call-2');
    keepCheckpoint(run);
    const before = must(await bench.job());
    await losePod();
    expect((await bench.get()).status).toMatchObject({
      phase: 'Pending',
      reason: 'PodLost',
      pendingApprovals: expect.any(Array),
    });
    const [first, second] = await approvals();
    await decide(must(first), 'Approved');
    await bench.clock.advance(MINUTE);
    expect((await bench.job())?.metadata.uid).toBe(before.metadata.uid);
    expect((await bench.get()).status?.pendingApprovals).toHaveLength(1);

    await decide(must(second), 'Approved');
    await bench.clock.advance(2000);
    const after = must(await bench.job());
    expect(after.metadata.uid).not.toBe(before.metadata.uid);
    expect(after.metadata.annotations).toMatchObject({ 'sympozium.ai/attempt': '2' });
    expect(bench.bus.tasks.get('team/x')).toMatchObject({ uid: run.metadata.uid, attempt: 2 });
    expect(bench.bus.controls.get('team/x')?.decisions).toHaveLength(2);
    expect((await bench.get()).status).toMatchObject({ phase: 'Pending', reason: 'Resuming', attempts: 2 });

    await bench.putPod(RUNNING, { metadata: { name: 'run-x-second' } });
    expect((await bench.get()).status).toMatchObject({ phase: 'Running', attempts: 2, podName: 'run-x-second' });
    await bench.bus.publish(refOf(run), succeeded(run.metadata.uid ?? ''));
    await settle();
    await bench.clock.advance(1000);
    expect((await bench.get()).status).toMatchObject({ phase: 'Succeeded', attempts: 2 });
    expect(await bench.children()).toEqual([]);
    expect(await bench.events()).toEqual(
      expect.arrayContaining(['Normal PodLost', 'Normal Resuming', 'Normal Succeeded']),
    );
  });

  test('goes on at once when all calls were decided before', async () => {
    const run = await working();
    await ask(run);
    await decide(await only(), 'Approved');
    keepCheckpoint(run);
    await losePod();
    await bench.clock.advance(2000);
    expect((await bench.job())?.metadata.annotations).toMatchObject({ 'sympozium.ai/attempt': '2' });
  });

  test('leaves the next attempt the time that the run has left', async () => {
    const run = await working({ approval: { timeout: '1h' } });
    await bench.clock.advance(3 * MINUTE);
    await ask(run);
    keepCheckpoint(run);
    await losePod();
    await bench.clock.advance(30 * MINUTE);
    await decide(await only(), 'Approved');
    await bench.clock.advance(2000);
    const seconds = Number((await bench.job())?.metadata.annotations?.['sympozium.ai/timeout-seconds']);
    expect(seconds).toBeGreaterThan(6.9 * 60);
    expect(seconds).toBeLessThanOrEqual(7 * 60);
  });

  test.each([
    ['before the old Job is deleted', 'delete Job'],
    ['before the new Job is created', 'create Job'],
  ])('also when the controller dies %s', async (_, at) => {
    const run = await working();
    await ask(run);
    keepCheckpoint(run);
    await losePod();
    bench.kube.before = (write) => {
      if (write.startsWith(at)) throw new Error('this process is dead');
    };
    await decide(await only(), 'Approved');
    await bench.clock.advance(2000);
    await bench.stop();
    bench.kube.before = () => undefined;
    await bench.start();
    await bench.clock.advance(2000);
    expect((await bench.job())?.metadata.annotations).toMatchObject({ 'sympozium.ai/attempt': '2' });
    expect((await bench.get()).status).toMatchObject({ reason: 'Resuming', attempts: 2 });
  });

  test.each([
    ['has no calls that people were asked about', false, { messages: [] }],
    ['has an agent that keeps no checkpoint', true, null],
  ])('fails a run that %s', async (_, asked, state) => {
    const run = await working();
    if (asked) await ask(run);
    keepCheckpoint(run, state);
    await losePod();
    expect((await bench.get()).status).toMatchObject({ phase: 'Failed', reason: 'PodDeleted' });
  });

  test('fails a run whose agent failed by itself', async () => {
    const run = await working();
    await ask(run);
    keepCheckpoint(run);
    await bench.putPod({ agent: { terminated: { exitCode: 1 } }, bridge: { running: {} } });
    await bench.clock.advance(20_000);
    expect((await bench.get()).status).toMatchObject({ phase: 'Failed', reason: 'AgentCrashed' });
  });

  test('fails a run that has lost ten Pods', async () => {
    const run = await working();
    await ask(run);
    await decide(await only(), 'Approved');
    keepCheckpoint(run);
    for (let attempt = 2; attempt <= 10; attempt += 1) {
      await losePod();
      await bench.clock.advance(2000);
      expect((await bench.get()).status).toMatchObject({ attempts: attempt });
      await bench.putPod(RUNNING, { metadata: { name: `run-x-${attempt}` } });
    }
    await losePod();
    expect((await bench.get()).status).toMatchObject({ phase: 'Failed', reason: 'PodDeleted', attempts: 10 });
  });

  test('can be cancelled while it waits', async () => {
    const run = await working();
    await ask(run);
    keepCheckpoint(run);
    await losePod();
    bench.kube.put({ ...(await bench.get()), spec: { ...run.spec, cancelled: true } });
    await settle();
    await bench.clock.advance(1000);
    expect((await bench.get()).status).toMatchObject({ phase: 'Cancelled' });
    expect(await bench.children()).toEqual([]);
  });
});
