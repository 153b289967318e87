import { describe, expect, test } from '@jest/globals';
import { settle } from '../../../support/fake-clock.ts';
import { policy, succeeded } from '../../../support/objects.ts';
import { refOf } from '../../../support/control-plane.ts';
import { Bench, RUNNING } from '../agent-run/bench.ts';

const bench = Bench.make();

describe('The bridge of a live run', () => {
  test('is told nothing that its task has not said', async () => {
    await bench.start();
    await bench.create();
    await bench.putPod(RUNNING);
    expect(bench.bus.told).toBe(0);
  });

  test('is told when its policy changes, and only then', async () => {
    await bench.start();
    const run = await bench.create();
    await bench.putPod(RUNNING);
    bench.kube.put(policy('default', { deniedTools: ['write_file'] }));
    await settle();
    expect(bench.bus.controls.get('team/x')).toMatchObject({
      uid: run.metadata.uid,
      policy: { layers: [{ deny: ['write_file'] }] },
      decisions: [],
    });
    bench.kube.put(policy('restrictive', { deniedTools: ['read_file'] })); // another one
    await settle();
    expect(bench.bus.told).toBe(1);
    bench.kube.put(policy('default'));
    await settle();
    expect(bench.bus.controls.get('team/x')).toMatchObject({ policy: { layers: [{ deny: [] }] } });
  });

  test('is told of a floor that is imposed on its namespace', async () => {
    await bench.start();
    await bench.create();
    await bench.putPod(RUNNING);
    const floor = policy('base', { deniedTools: ['fetch_url'], enforce: { namespaceSelector: {} } });
    bench.kube.put({ ...floor, metadata: { ...floor.metadata, namespace: 'sympozium-system' } });
    await settle();
    expect(bench.bus.controls.get('team/x')).toMatchObject({ policy: { floors: ['base'] } });
  });

  test('is told again while the bus is away, until it hears', async () => {
    await bench.start();
    await bench.create();
    await bench.putPod(RUNNING);
    bench.bus.down = new Error('no connection');
    bench.kube.put(policy('default', { deniedTools: ['write_file'] }));
    await settle();
    await bench.clock.advance(3000);
    expect(bench.bus.told).toBe(0);
    bench.bus.down = undefined;
    await bench.clock.advance(3000);
    expect(bench.bus.told).toBe(1);
  });

  test('is told by a new leader, which does not know what the one before has said', async () => {
    await bench.start();
    await bench.create();
    await bench.putPod(RUNNING);
    await bench.stop();
    bench.kube.put(policy('default', { deniedTools: ['write_file'] }));
    await bench.start();
    expect(bench.bus.controls.get('team/x')).toMatchObject({ policy: { layers: [{ deny: ['write_file'] }] } });
    expect(bench.bus.told).toBe(1);
  });

  test('is told nothing when its policy is deleted, or after its end', async () => {
    await bench.start();
    const run = await bench.create();
    await bench.putPod(RUNNING);
    bench.kube.remove(policy('default'));
    await settle();
    bench.kube.put(policy('default'));
    await bench.bus.publish(refOf(run), succeeded(run.metadata.uid ?? ''));
    await settle();
    bench.kube.put(policy('default', { deniedTools: ['write_file'] }));
    await settle();
    expect(bench.bus.told).toBe(0);
  });
});
