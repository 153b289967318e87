import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from '@jest/globals';
import { refused } from '../../../operator/metrics/gateway.ts';
import { reconciliations } from '../../../operator/metrics/queue.ts';
import { eventually } from '../../support/eventually.ts';
import { measure, parse } from './scrape.ts';
import packageJson from '../../../package.json' with { type: 'json' };

test.each(['controller', 'webhook', 'gateway'] as const)('the %s tells of itself', async (process) => {
  const { types, help, value, values } = await measure(process)();
  expect(value('sympozium_build_info', { process, version: packageJson.version })).toBe(1);
  expect(types.get('process_cpu_seconds_total')).toBe('counter');
  expect(value('process_cpu_seconds_total')).toBeGreaterThan(0);
  expect(value('process_resident_memory_bytes')).toBeGreaterThan(1e7);
  expect(value('process_start_time_seconds')).toBeGreaterThan(1.7e9);
  expect(values('nodejs_memory_bytes', 'area')).toEqual(['external', 'heap_total', 'heap_used']);
  expect(help.get('process_resident_memory_bytes')).toContain('Memory of the process');
});

test('a blocked event loop is seen, and forgotten at the next scrape', async () => {
  const scrape = measure('gateway');
  const longest = async () => (await scrape()).value('nodejs_eventloop_delay_seconds', { percentile: '100' }) ?? 0;
  let seen = 0;
  const block = async () => {
    const until = performance.now() + 500;
    while (performance.now() < until);
    await new Promise((resolve) => setImmediate(resolve));
    return (seen = await longest()) > 0.4;
  };
  await eventually(block, 4_000, 60); // between two of these the loop comes round, as it must to be compared with
  expect(await longest()).toBeLessThan(seen);
});

test('a histogram has cumulative buckets with the bounds of its definition', async () => {
  const scrape = measure('controller');
  for (const seconds of [0.004, 0.2, 99]) reconciliations.record(seconds, { kind: 'AgentRun', outcome: 'success' });
  const { samples, types, value } = await scrape();
  const name = 'sympozium_reconcile_duration_seconds';
  const buckets = samples.filter((sample) => sample.name === `${name}_bucket`);
  expect(types.get(name)).toBe('histogram');
  expect(buckets.map(({ labels }) => labels.le)).toEqual([...reconciliations.buckets.map(String), '+Inf']);
  expect(buckets.map((sample) => sample.value)).toEqual([0, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 3]);
  expect([value(`${name}_count`), value(`${name}_sum`)]).toEqual([3, 99.204]);
});

test('a label that is not defined goes nowhere, whatever the code says', async () => {
  const scrape = measure('gateway');
  refused.add({ reason: 'why', key: 'sk-secret', run: 'team/x' } as { reason: string });
  const { text, samples } = await scrape();
  expect(samples.find(({ name }) => name === 'sympozium_gateway_refused_total')?.labels).toEqual({ reason: 'why' });
  expect(text).not.toMatch(/sk-secret|team\/x/);
});

test('text of others cannot break a line', async () => {
  const scrape = measure('gateway');
  refused.add({ reason: 'a "quoted"\nline \\ end' });
  expect((await scrape()).values('sympozium_gateway_refused_total', 'reason')).toEqual([
    'a \\"quoted\\"\\nline \\\\ end',
  ]);
  expect(() => parse('ok 1\nreason{a="b"} \n')).toThrow('not a sample');
});

test('a label that grows without end is summed up from a certain number on', async () => {
  const scrape = measure('gateway');
  for (let index = 0; index < 5000; index += 1) refused.add({ reason: `r${index}` });
  const { samples, value } = await scrape();
  expect(samples.filter(({ name }) => name === 'sympozium_gateway_refused_total').length).toBeLessThanOrEqual(2000);
  expect(value('sympozium_gateway_refused_total')).toBe(5000);
});

test('what serves one run loads no metrics at all', () => {
  const loaded = (file: string, seen = new Set<string>()): Set<string> => {
    if (seen.has(file)) return seen;
    seen.add(file);
    for (const [, target = ''] of readFileSync(file, 'utf8').matchAll(
      /^(?:import|export) (?!type )[^;]*?'([^']+)';$/gms,
    )) {
      if (target.startsWith('.')) loaded(join(dirname(file), target), seen);
    }
    return seen;
  };
  const metrics = (name: string) => [...loaded(`operator/main/${name}.ts`)].filter((file) => file.includes('metrics/'));
  expect([metrics('bridge'), metrics('agent')]).toEqual([[], []]);
  expect(metrics('gateway')).toContain('operator/metrics/exporter.ts');
});
