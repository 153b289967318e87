import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { AGENT_RUNS } from '../../operator/kube/resources.ts';
import { eventually } from '../support/eventually.ts';
import { KEPT_RUNS } from './support/prepare.ts';
import { POLL_MS, World } from './support/world.ts';

describe('finished runs expire', () => {
  let world: World;
  beforeAll(async () => {
    world = await World.create('retention');
  });
  afterAll(() => world.destroy());

  test('by age', async () => {
    await world.run('brief', { input: 'scenario:plain', ttlAfterFinished: '3s' });
    await world.gone(AGENT_RUNS, 'brief', 30_000);
  });

  test('by count, the oldest first', async () => {
    await world.instance('busy');
    const names = Array.from({ length: KEPT_RUNS + 2 }, (_, index) => `busy-${index}`);
    for (const name of names) await world.run(name, { instanceRef: 'busy', input: 'scenario:plain' });
    const kept = async () => {
      const { items } = await world.kube.list(AGENT_RUNS, { namespace: world.namespace });
      const busy = items.filter(({ spec }) => spec.instanceRef === 'busy').map(({ metadata }) => metadata.name);
      return busy.length === KEPT_RUNS && busy.sort();
    };
    expect(await eventually(kept, 30_000, POLL_MS)).toEqual(names.slice(-KEPT_RUNS));
  });
});
