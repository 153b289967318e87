import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { silent } from '../cluster/index.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { Tools } from './support/packs.ts';
import { ensurePrometheus, Prometheus } from './support/prometheus.ts';

/** A real Prometheus that scrapes a small shop. */
let shop: Server;
let prometheus: Prometheus;
let tools: Tools;
let requests = 0;

const METRICS = () => `
# HELP shop_requests_total Requests that the shop answered.
# TYPE shop_requests_total counter
shop_requests_total{code="200",pod="web-1"} ${(requests += 10)}
shop_requests_total{code="500",pod="web-2"} ${requests / 10}
# HELP shop_temperature_celsius Temperature of the shop.
# TYPE shop_temperature_celsius gauge
shop_temperature_celsius 21.5
# TYPE shop_wait_seconds histogram
# HELP shop_wait_seconds How long customers wait.
shop_wait_seconds_bucket{le="+Inf"} 3
shop_wait_seconds_sum 4
shop_wait_seconds_count 3
${Array.from({ length: 80 }, (_, index) => `shop_shelf{shelf="${index}"} ${index}`).join('\n')}
`;

beforeAll(async () => {
  await ensurePrometheus(silent);
  shop = createServer((_, response) => response.end(METRICS())).listen(0, '127.0.0.1');
  await once(shop, 'listening');
  const address = `127.0.0.1:${(shop.address() as AddressInfo).port}`;
  prometheus = await Prometheus.start({ shop: [address], bakery: [`127.0.0.1:${await freePort()}`] }, [
    { alert: 'TooWarm', expr: 'shop_temperature_celsius > 20', labels: { severity: 'page' }, annotations: { summary: 'The shop has {{ $value }} degrees.' } }, // prettier-ignore
    { alert: 'Quiet', expr: 'shop_requests_total < 0', annotations: { summary: 'never' } },
  ]);
  tools = await Tools.of('sre-observability', { PROMETHEUS_URL: `${prometheus.url}/` });
  await eventually(async () => (await tools.result('prometheus_alerts')).startsWith('firing'), 30_000, 100);
  const points = () => tools.result('prometheus_query', { query: 'count_over_time(shop_temperature_celsius[1m]) > 4' });
  await eventually(async () => !(await points()).includes('No series'), 30_000, 100);
}, 120_000);
afterAll(async () => {
  tools.remove();
  await prometheus.stop();
  shop.close();
});

test('prometheus_query gives the value of each series, in the order of the answer', async () => {
  const text = await tools.result('prometheus_query', { query: 'topk(2, shop_shelf)' });
  expect(text).toMatch(
    /^At \S+Z:\nshop_shelf\{instance="\S+", job="shop", shelf="79"\} 79\nshop_shelf\{.*shelf="78"\} 78$/,
  );
  expect(await tools.result('prometheus_query', { query: '2 * 21' })).toMatch(/\n42$/);
  expect(await tools.result('prometheus_query', { query: 'nothing_here' })).toMatch(/\nNo series\.$/);
});

test('prometheus_query cuts what is too much for a model, and says so', async () => {
  const text = await tools.result('prometheus_query', { query: 'shop_shelf' });
  expect(text.split('\n')).toHaveLength(52);
  expect(text).toMatch(/\n… and 30 more; aggregate, or select by labels$/);
});

test('prometheus_query looks at another time', async () => {
  expect(await tools.result('prometheus_query', { query: 'shop_shelf', time: '2020-01-01T00:00:00Z' })).toBe('At 2020-01-01T00:00:00Z:\nNo series.'); // prettier-ignore
});

test('prometheus_query_range sums up the course of each series', async () => {
  const text = await tools.result('prometheus_query_range', {
    query: 'shop_temperature_celsius',
    since: '30s',
    step: '1s',
  });
  expect(text).toMatch(/^From \S+Z to \S+Z, every 1s, times in UTC:\nshop_temperature_celsius\{instance=/);
  expect(text).toMatch(
    /lowest 21\.5 at \d\d:\d\d:\d\d, highest 21\.5 at \S+, average 21\.5, last 21\.5\n {2}\d\d:\d\d:\d\d 21\.5, /,
  );
  const rates = await tools.result('prometheus_query_range', {
    query: 'sum by (pod) (rate(shop_requests_total[5s]))',
    since: '1m',
  });
  expect(rates).toMatch(/\{pod="web-1"\}\n {2}lowest \S+ at/);
});

test('prometheus_query_range refuses more points than a model can read', async () => {
  const text = await tools.failure('prometheus_query_range', { query: 'up', since: '24h', step: '1s' });
  expect(text).toBe('step: got 1s, which is more than 1000 points: expected at least 87s');
});

test('prometheus_alerts lists what fires', async () => {
  const text = await tools.result('prometheus_alerts', { state: 'firing' });
  expect(text).toMatch(
    /^firing TooWarm since \S+, value 2\.15e\+01 \{instance="\S+", job="shop", severity="page"\}\n {2}summary: The shop has 21\.5 degrees\.$/,
  );
  expect(await tools.result('prometheus_alerts', { state: 'pending' })).toBe('No alerts.');
});

test('prometheus_targets says what is not scraped, and why', async () => {
  const text = await tools.result('prometheus_targets');
  expect(text).toMatch(
    /^2 targets\.\n(bakery: 1 down\nshop: 1 up|shop: 1 up\nbakery: 1 down)\nErrors:\n {2}http:\S+: .*connection refused$/,
  );
  expect(await tools.result('prometheus_targets', { health: 'up' })).toBe('1 target.\nshop: 1 up');
});

test('prometheus_metrics finds names', async () => {
  const text = await tools.result('prometheus_metrics', { contains: 'SHOP_' });
  expect(text).toContain('shop_requests_total (counter): Requests that the shop answered.');
  expect(text).toContain('shop_wait_seconds_bucket (histogram): How long customers wait.');
  expect(await tools.result('prometheus_metrics', { contains: 'bakery' })).toBe("No metric's name contains 'bakery'.");
});

test("an expression that is wrong is answered in Prometheus' words, one that begins with a dash is none the less one", async () => {
  expect(await tools.failure('prometheus_query', { query: 'sum(' })).toMatch(/^Prometheus answered 400: .*parse error/);
  expect(await tools.result('prometheus_query', { query: '-shop_temperature_celsius' })).toMatch(/ -21\.5$/);
  expect(await tools.result('prometheus_query', { query: '--help' })).toMatch(/\nNo series\.$/); // minus minus help
});

test('a Prometheus that is not there is one sentence', async () => {
  const url = `http://127.0.0.1:${await freePort()}`;
  expect(await tools.with({ PROMETHEUS_URL: url }).failure('prometheus_alerts')).toBe(`Prometheus at ${url} can't be reached: connect ECONNREFUSED ${url.slice(7)}`); // prettier-ignore
  expect(await tools.with({ PROMETHEUS_URL: '' }).failure('prometheus_alerts')).toBe("PROMETHEUS_URL: got '', expected the address of Prometheus in the env of the SkillPack's sidecar"); // prettier-ignore
});
