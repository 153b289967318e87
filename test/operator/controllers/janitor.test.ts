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

test('The bus has forgotten a run before its name is free for another', async () => {
  const kube = new FakeKube();
  const done = { phase: 'Failed', completionTime: '2026-01-01T00:00:00Z' } as const;
  kube.put(agentRun('short', { ttlAfterFinished: '1m' }, { status: done }));
  const [clock, bus] = [new FakeClock(), new FakeBus()];
  bus.forget = () => Promise.reject(new Error('no bus'));
  const plane = await startControlPlane({ kube, bus, clock });
  await settle();
  await clock.advance(75_000);
  expect(kube.writes.filter((write) => write.startsWith('delete'))).toEqual([]);
  bus.forget = () => Promise.resolve();
  await clock.advance(15_000);
  expect(kube.writes.filter((write) => write.startsWith('delete'))).toEqual(['delete AgentRun team/short']);
  await plane.stop();
});
