import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { readFileSync, readdirSync } from 'node:fs';
import { JOBS } from '../../operator/kube/resources.ts';
import { clusterStatus } from '../cluster/index.ts';
import { eventually } from '../support/eventually.ts';
import { cluster, POLL_MS, SYSTEM, World } from './support/world.ts';

/** Held by the leading controller. */
const LEASE = 'sympozium-controller';

describe('a run ends, with its reason, whatever dies', () => {
  let world: World;
  beforeAll(async () => {
    world = await World.create('disruption');
  });
  afterAll(() => world.destroy());

  const failed = (reason: string) => expect.objectContaining({ phase: 'Failed', reason });
  const startSlow = async (name: string, scenario = 'hang') => {
    await world.start(name, { input: `scenario:${scenario}` });
    await world.atWork(name);
  };

  test('its Pod is killed', async () => {
    await startSlow('pod-killed');
    await world.kubectl(['delete', 'pod', '-l', 'sympozium.ai/run=pod-killed', '--wait=false']);
    expect((await world.ended('pod-killed')).status).toEqual(failed('PodDeleted'));
  });

  test('its Pod is evicted', async () => {
    await startSlow('evicted');
    const { metadata } = await world.pod('evicted');
    const eviction = JSON.stringify({
      apiVersion: 'policy/v1',
      kind: 'Eviction',
      metadata: { name: metadata.name, namespace: world.namespace },
    });
    const path = `/api/v1/namespaces/${world.namespace}/pods/${metadata.name}/eviction`;
    await cluster.kubectl(['create', '--raw', path, '-f', '-'], eviction);
    expect((await world.ended('evicted')).status).toEqual(failed('Evicted'));
  });

  test('its Job is deleted', async () => {
    await startSlow('job-deleted');
    await world.kubectl(['delete', 'job', 'run-job-deleted', '--wait=false']);
    expect(['JobDeleted', 'PodDeleted']).toContain((await world.ended('job-deleted')).status?.reason);
  });

  test('its bridge is killed', async () => {
    await startSlow('bridge-killed');
    process.kill(await processOf('/app/bridge.js', 'RUN_NAME=bridge-killed'), 'SIGKILL');
    expect((await world.ended('bridge-killed')).status).toEqual(failed('BridgeLost'));
  });

  test('its instance is deleted before it starts to work', async () => {
    await world.instance('short-lived');
    await world.start('orphan', { instanceRef: 'short-lived', input: 'scenario:slow' });
    await world.kubectl(['delete', 'si', 'short-lived']);
    const { status } = await world.ended('orphan');
    // Deleted after the gateway looked it up, the instance isn't missed any more.
    expect(['Completed', 'InstanceNotFound']).toContain(status?.reason);
  });

  test('the leading controller is killed: nothing is lost, nothing is done twice', async () => {
    await startSlow('leader-killed', 'slow');
    const { spec } = await cluster.get<{ spec: { holderIdentity: string } }>(...['lease', LEASE, '-n', SYSTEM]);
    const [leader = ''] = spec.holderIdentity.split('_');
    process.kill(await processOf('/app/controller.js', `POD_NAME=${leader}`), 'SIGKILL');
    const { status } = await world.ended('leader-killed');
    expect(status).toMatchObject({ phase: 'Succeeded', usage: { modelCalls: 1 } });
    await world.gone(JOBS, 'run-leader-killed');
    expect(await world.reasons('leader-killed', 'Succeeded')).toEqual(['Started', 'Succeeded']);
  });

  test('all controllers are gone while it answers: its result waits for them', async () => {
    await startSlow('unattended', 'slow');
    const scale = (replicas: number) =>
      cluster.kubectl(['scale', 'deployment/sympozium-controller', '-n', SYSTEM, `--replicas=${replicas}`]);
    try {
      await scale(0);
      await eventually(
        async () => {
          const states = (await world.pod('unattended')).status?.containerStatuses ?? [];
          return states.length > 0 && states.every(({ state }) => state?.terminated !== undefined);
        },
        30_000,
        POLL_MS,
      );
    } finally {
      await scale(2);
    }
    expect((await world.ended('unattended')).status).toMatchObject({ phase: 'Succeeded' });
  });

  test('the bus is restarted while it answers', async () => {
    await startSlow('bus-restarted', 'slow');
    await cluster.kubectl(['delete', 'pod', 'sympozium-nats-0', '-n', SYSTEM, '--wait=true']);
    expect((await world.ended('bus-restarted')).status).toMatchObject({ phase: 'Succeeded' });
  });

  describe('its node', () => {
    let kubelet: number | undefined;
    afterEach(async () => {
      if (kubelet !== undefined) process.kill(kubelet, 'SIGCONT');
      await cluster.kubectl(['wait', 'node', '--all', '--for=condition=Ready', '--timeout=90s']);
      await cluster.kubectl(['wait', 'pod', '--all', '-n', SYSTEM, '--for=condition=Ready', '--timeout=120s']);
    });

    test('is gone', async () => {
      const image = 'localhost/sympozium-base:node24';
      await world.instance('patient', { agent: { image, command: ['sleep', '300'] } });
      await world.start('node-gone', { instanceRef: 'patient', input: 'x' });
      await world.running('node-gone');
      kubelet = await processOf('kubelet');
      process.kill(kubelet, 'SIGSTOP');
      expect((await world.ended('node-gone', 240_000)).status).toEqual(failed('NodeLost'));
    }, 300_000);
  });
});

/** The process of this machine whose command line, or else its environment, has all of these in it. */
async function processOf(...marks: readonly string[]): Promise<number> {
  const { parts } = await clusterStatus();
  const component = parts.find(({ name }) => name === marks[0])?.pid;
  if (component !== undefined) return component;
  const pid = readdirSync('/proc').find((entry) => /^\d+$/.test(entry) && marks.every((mark) => has(entry, mark)));
  if (pid === undefined) throw new Error(`no process has '${marks.join("' and '")}'`);
  return Number(pid);
}

function has(pid: string, mark: string): boolean {
  try {
    return ['cmdline', 'environ'].some((file) =>
      `${readFileSync(`/proc/${pid}/${file}`, 'utf8')}\0`.includes(`${mark}\0`),
    );
  } catch {
    return false; // it has ended meanwhile
  }
}
