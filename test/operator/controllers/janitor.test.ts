import { expect, test } from '@jest/globals';
import { FakeBus, startControlPlane } from '../../support/control-plane.ts';
import { FakeClock, settle } from '../../support/fake-clock.ts';
import { FakeKube } from '../../support/fake-kube.ts';
import { agentRun } from '../../support/objects.ts';

test('Finished runs are deleted when their time is over, with what the bus holds of them', async () => {
  const kube = new FakeKube();
  kube.put(
    agentRun(
      'short',
      { ttlAfterFinished: '1m' },
      { status: { phase: 'Failed', completionTime: '2026-01-01T00:00:00Z' } },
    ),
  );
  kube.put(agentRun('long', {}, { status: { phase: 'Succeeded', completionTime: '2026-01-01T00:00:00Z' } }));
  const [clock, bus] = [new FakeClock(), new FakeBus()];
  const plane = await startControlPlane({ kube, bus, clock });
  await settle();
  await clock.advance(59_000);
  expect(kube.writes.filter((write) => write.startsWith('delete'))).toEqual([]);
  await clock.advance(15_000);
  expect(kube.writes.filter((write) => write.startsWith('delete'))).toEqual(['delete AgentRun team/short']);
  expect(bus.forgotten).toEqual(['team/short']);
  await plane.stop();
});
