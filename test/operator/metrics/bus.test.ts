import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import type { Outcome } from '../../../operator/bus/run-bus.ts';
import { eventually } from '../../support/eventually.ts';
import { NatsServer } from '../../support/nats-server.ts';
import { bridgeBus, runBus, success } from '../bus/support.ts';
import { measure } from './scrape.ts';

jest.setTimeout(30_000);

let server: NatsServer;
const stop = new AbortController();
beforeEach(async () => {
  server = await NatsServer.start();
});
afterEach(async () => {
  stop.abort();
  await server.remove();
});

test('the connection and what became of each result are told', async () => {
  const scrape = measure('controller');
  const bus = runBus(server, stop.signal);
  expect((await scrape()).value('sympozium_bus_connected')).toBe(0);
  await eventually(() => bus.ready);
  expect((await scrape()).value('sympozium_bus_connected')).toBe(1);

  const outcomes: Outcome[] = [{ retryInMs: 1 }, 'done'];
  const consuming = bus.consumeResults(() => Promise.resolve(outcomes.shift() ?? 'done'), stop.signal);
  const bridge = await bridgeBus(server, { namespace: 'test', name: 'triage' }, 'uid-1', stop.signal);
  await bridge.publishResult(success('uid-1'), 10_000);
  const results = async (outcome: string) => (await scrape()).value('sympozium_bus_results_total', { outcome });
  await eventually(async () => (await results('recorded')) === 1);
  expect(await results('retried')).toBe(1);
  expect((await scrape()).text).not.toMatch(/triage|uid-1/);

  await server.stop();
  await eventually(async () => (await scrape()).value('sympozium_bus_connected') === 0);
  stop.abort();
  await consuming;
});
