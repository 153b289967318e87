import { describe, expect, test } from '@jest/globals';
import type { AgentRun } from '../../../../lib/api/v1alpha1/agent-run.ts';
import { KubeError } from '../../../../operator/kube/errors.ts';
import { AGENT_RUNS, EVENTS, JOBS, type KubeEvent } from '../../../../operator/kube/resources.ts';
import { settle } from '../../../support/fake-clock.ts';
import { must } from '../../../support/must.ts';
import { agentRun } from '../../../support/objects.ts';
import { Bench, RUNNING } from './bench.ts';

const bench = Bench.make();

const create = async (...names: readonly string[]) => {
  for (const name of names) bench.kube.put(agentRun(name));
  await settle();
};
const get = async (name: string): Promise<AgentRun> =>
  must(await bench.kube.get(AGENT_RUNS, { namespace: 'team', name }));
const jobs = async () =>
  (await bench.kube.list(JOBS)).items.map(({ metadata }) => metadata.name.replace('run-', '')).sort();
/** What the controller creates says when. */
const stampAsTimeGoes = () => {
  bench.kube.fill = (object) => ({
    ...object,
    metadata: { ...object.metadata, creationTimestamp: bench.clock.date().toISOString() },
  });
};

describe('A quota of the namespace that is used up', () => {
  const QUOTA = 'jobs.batch "run-x" is forbidden: exceeded quota: team, requested: count/jobs.batch=1, used: 2';

  test('lets runs wait, which try again in turn and are not failed', async () => {
    await bench.start();
    stampAsTimeGoes();
    let full = true;
    bench.kube.before = (write) => {
      if (full && write.startsWith('create Job')) throw new KubeError('Forbidden', 403, QUOTA);
    };
    await create('r000', 'r001');
    expect((await get('r000')).status).toMatchObject({
      phase: 'Pending',
      reason: 'QuotaExceeded',
      message: expect.stringMatching(/^the Job of the run waits for room in a quota .*exceeded quota: team/),
    });
    await bench.clock.advance(3_600_000);
    expect((await get('r001')).status?.reason).toBe('QuotaExceeded');
    const { items } = await bench.kube.list(EVENTS, { fields: 'involvedObject.name=r001' });
    expect(items.map(({ type, reason }) => `${type} ${reason}`)).toEqual(['Warning QuotaExceeded']);
    full = false;
    await bench.clock.advance(10_000);
    expect(await jobs()).toEqual(['r000', 'r001']);
  });

  test('is not any other refusal', async () => {
    await bench.start();
    bench.kube.before = (write) => {
      if (write.startsWith('create Job')) throw new KubeError('Forbidden', 403, 'not yours');
    };
    await create('r000');
    expect((await get('r000')).status).toMatchObject({ phase: 'Failed', reason: 'JobNotCreated' });
  });

  /** The Job controller says that it may not make the Pod. */
  const refusePod = async () => {
    const { uid = '' } = must(await bench.job()).metadata;
    bench.kube.put<KubeEvent>({
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: `run-x.${uid}`, namespace: 'team' },
      involvedObject: { apiVersion: 'batch/v1', kind: 'Job', name: 'run-x', uid },
      type: 'Warning',
      reason: 'FailedCreate',
      message: 'Error creating: pods "run-x-abc" is forbidden: exceeded quota: team, requested: pods=1, used: pods=2',
    });
    await bench.clock.advance(31_000);
  };

  test('lets a Pod wait, for which the Job controller tries again, and gives the run all of its time then', async () => {
    await bench.start();
    await bench.create(agentRun('x', { timeout: '60s' }));
    await refusePod();
    expect((await bench.get()).status).toMatchObject({ phase: 'Pending', reason: 'QuotaExceeded' });
    await bench.clock.advance(600_000);
    expect((await bench.get()).status).toMatchObject({ phase: 'Pending', reason: 'QuotaExceeded' });
    const metadata = {
      creationTimestamp: bench.clock.date().toISOString(),
      labels: { 'sympozium.ai/component': 'run', 'sympozium.ai/run': 'x' },
    };
    const owner = {
      apiVersion: 'batch/v1',
      kind: 'Job',
      name: 'run-x',
      uid: must(await bench.job()).metadata.uid ?? '',
    };
    await bench.putPod(RUNNING, { metadata: { ...metadata, ownerReferences: [owner] } });
    expect((await bench.get()).status?.phase).toBe('Running');
    await bench.clock.advance(59_000);
    expect((await bench.get()).status?.phase).toBe('Running');
    await bench.clock.advance(1_000);
    expect((await bench.get()).status?.reason).toBe('DeadlineExceeded');
  });

  test('gets a run another Job when the first one gave up without ever having had a Pod', async () => {
    stampAsTimeGoes();
    await bench.start();
    await bench.create(agentRun('x', { timeout: '60s' }));
    await refusePod();
    const first = must(await bench.job());
    const gaveUp = { type: 'Failed', status: 'True', reason: 'DeadlineExceeded' };
    bench.kube.put({ ...first, status: { conditions: [gaveUp] } });
    await settle();
    await bench.clock.advance(10_000);
    const second = must(await bench.job());
    expect(second.metadata.uid).not.toBe(first.metadata.uid);
    await bench.putPod(RUNNING);
    const { status } = await bench.get();
    expect(status).toMatchObject({ phase: 'Running', startTime: second.metadata.creationTimestamp });
    expect(status).not.toHaveProperty('reason');
  });

  test('gets a run no other Job when the first one has had a Pod', async () => {
    await bench.start();
    await bench.create(agentRun('x', { timeout: '60s' }));
    await refusePod();
    const first = must(await bench.job());
    bench.kube.put({ ...first, status: { failed: 1, conditions: [{ type: 'Failed', status: 'True', reason: 'DeadlineExceeded' }] } }); // prettier-ignore
    await settle();
    await bench.clock.advance(10_000);
    expect((await bench.get()).status).toMatchObject({ phase: 'Failed' });
  });
});
