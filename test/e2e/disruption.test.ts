import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { promisify } from 'node:util';
import { clusterStatus } from '../cluster/index.ts';
import { cluster, eventually, SYSTEM, World } from './support/world.ts';

const exec = promisify(execFile);

describe('a run ends, with its reason, whatever dies', () => {
  let world: World;
  beforeAll(async () => {
    world = await World.create('disruption');
  });
  afterAll(() => world.destroy());

  const failed = (reason: string) => expect.objectContaining({ phase: 'Failed', reason });
  const startSlow = async (name: string, scenario = 'hang') => {
    await world.start(name, { input: `scenario:${scenario}` });
    return world.running(name);
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
    process.kill(await processOf('bridge-killed', '/app/bridge.js'), 'SIGKILL');
    expect((await world.ended('bridge-killed')).status).toEqual(failed('BridgeLost'));
  });

  test('its instance is deleted before it starts to work', async () => {
    await world.instance('short-lived');
    await world.start('orphan', { instanceRef: 'short-lived', input: 'scenario:slow' });
    await world.kubectl(['delete', 'si', 'short-lived']);
    const { status } = await world.ended('orphan');
    expect(['Succeeded', 'Failed']).toContain(status?.phase);
    expect(status?.reason).not.toBe('');
  });

  test('the leading controller is killed: nothing is lost, nothing is done twice', async () => {
    await startSlow('leader-killed', 'slow');
    const { spec } = await cluster.get<{ spec: { holderIdentity: string } }>(
      'lease',
      'sympozium-controller',
      '-n',
      SYSTEM,
    );
    const [leader = ''] = spec.holderIdentity.split('_');
    await cluster.kubectl(['delete', 'pod', leader, '-n', SYSTEM, '--grace-period=0', '--force']);
    const { status } = await world.ended('leader-killed');
    expect(status).toMatchObject({ phase: 'Succeeded', usage: { modelCalls: 1 } });
    expect(await world.reasons('leader-killed')).toEqual(['Started', 'Succeeded']);
  });

  test('all controllers are gone while it answers: its result waits for them', async () => {
    await startSlow('unattended', 'slow');
    const scale = (replicas: number) =>
      cluster.kubectl(['scale', 'deployment/sympozium-controller', '-n', SYSTEM, `--replicas=${replicas}`]);
    await scale(0);
    await eventually(async () => {
      const states = (await world.pod('unattended')).status?.containerStatuses ?? [];
      return states.length > 0 && states.every(({ state }) => state?.terminated !== undefined) ? true : undefined;
    });
    await scale(2);
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
      await startSlow('node-gone', 'hang');
      const { parts } = await clusterStatus();
      kubelet = parts.find(({ name }) => name === 'kubelet')?.pid;
      if (kubelet === undefined) throw new Error('there is no kubelet');
      process.kill(kubelet, 'SIGSTOP');
      // The agent waits for longer than the node takes to be given up, and so must its model.
      const { status } = await world.ended('node-gone', 240_000);
      expect(status?.phase).toBe('Failed');
      expect(['NodeLost', 'ModelError']).toContain(status?.reason);
    }, 300_000);
  });
});

/** The process on this machine that runs `script` in the Pod of a run. */
async function processOf(run: string, script: string): Promise<number> {
  const { stdout } = await exec('pgrep', ['-f', `node ${script}`]);
  const pids = stdout.split('\n').filter(Boolean);
  const pid = pids.find((candidate) =>
    readFileSync(`/proc/${candidate}/environ`, 'utf8').includes(`RUN_NAME=${run}\0`),
  );
  if (pid === undefined)
    throw new Error(`no process of run '${run}' runs ${script}; there are ${readdirSync('/proc').length} processes`);
  return Number(pid);
}
