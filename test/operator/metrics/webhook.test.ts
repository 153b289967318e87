import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { request, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from '@jest/globals';
import { SILENT } from '../../../operator/log.ts';
import { newAuthority, newServing } from '../../../operator/webhook/certificate.ts';
import { Keeper } from '../../../operator/webhook/keeper.ts';
import { ALLOWED, refuse } from '../../../operator/webhook/review.ts';
import { webhookServer, type WebhookOptions } from '../../../operator/webhook/server.ts';
import { ensureCertificates } from '../../../operator/webhook/tls-secret.ts';
import { eventually } from '../../support/eventually.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { FakeKube } from '../../support/fake-kube.ts';
import { agentRun } from '../../support/objects.ts';
import { measure } from './scrape.ts';

const COUNT = 'sympozium_webhook_review_duration_seconds_count';

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
  server = undefined;
});

async function start(options: Partial<WebhookOptions>): Promise<(path: string, body: string) => Promise<void>> {
  const now = new Date();
  const serving = await newServing(await newAuthority(now), ['localhost'], now);
  const all = { validate: () => Promise.resolve(ALLOWED), notReady: () => undefined, log: SILENT, ...options };
  server = webhookServer(serving, all).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return async (path, body) => {
    const sent = request({ host: '127.0.0.1', port, path, method: 'POST', rejectUnauthorized: false, agent: false });
    sent.end(body);
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    await once(response.resume(), 'end');
  };
}

const review = (kind: string, operation = 'CREATE') =>
  JSON.stringify({
    request: { uid: 'u', operation, kind: { group: 'sympozium.ai', kind }, object: agentRun('a-name') },
  });

test('reviews are counted by what was asked and what was answered', async () => {
  const scrape = measure('webhook');
  const verdicts = [ALLOWED, refuse('because of-a-name')];
  const send = await start({
    validate: () => {
      const verdict = verdicts.shift();
      return verdict === undefined ? Promise.reject(new Error('no answer')) : Promise.resolve(verdict);
    },
  });
  for (const path of ['/mutate', '/validate', '/validate', '/validate']) await send(path, review('AgentRun'));
  const { value, text } = await scrape();
  const of = (path: string, verdict: string) => value(COUNT, { path, kind: 'AgentRun', operation: 'CREATE', verdict });
  expect([of('mutate', 'allowed'), of('validate', 'allowed')]).toEqual([1, 1]);
  expect([of('validate', 'refused'), of('validate', 'failed')]).toEqual([1, 1]);
  expect(text).not.toContain('a-name');
});

test('words that somebody made up do not become labels', async () => {
  const scrape = measure('webhook');
  const send = await start({});
  await send('/validate', review('MadeUp1', 'MADEUP2'));
  await send('/made-up-3', review('AgentRun'));
  await send('/validate', 'made-up-4');
  const { text, values } = await scrape();
  expect(text).not.toMatch(/made-?up/i);
  expect([values(COUNT, 'path'), values(COUNT, 'verdict')]).toEqual([['other', 'validate'], ['allowed', 'unanswered']]); // prettier-ignore
});

test('a webhook that is not ready counts what it could not answer', async () => {
  const scrape = measure('webhook');
  const send = await start({ notReady: () => 'not listed yet' });
  await send('/validate', review('AgentRun'));
  expect((await scrape()).value(COUNT, { path: 'validate', verdict: 'unanswered' })).toBe(1);
});

test('the end of the certificate that is served is told', async () => {
  const scrape = measure('webhook');
  const [clock, kube] = [new FakeClock(), new FakeKube()];
  const obtain = async (now: Date) => {
    const { serving } = await ensureCertificates({ kube, namespace: 'system', hosts: ['localhost'] }, now);
    return { serving, trustSpreadsMs: 10_000 };
  };
  const keeper = new Keeper({
    source: { obtain },
    serve: (serving) => Promise.resolve((server = webhookServer(serving, { validate: () => Promise.resolve(ALLOWED), notReady: () => undefined, log: SILENT }))),
    clock,
    log: SILENT,
  }); // prettier-ignore
  await keeper.reconcile();
  const name = 'sympozium_webhook_certificate_expiry_timestamp_seconds';
  const end = clock.date().getTime() / 1000 + 90 * 86_400;
  expect((await scrape()).value(name)).toBeCloseTo(end, -4);

  await clock.advance(61 * 86_400_000); // it is renewed, and used once it is trusted everywhere
  let done = false;
  const renewed = keeper.reconcile().then(() => (done = true));
  await eventually(async () => {
    await clock.advance(1_000);
    return done;
  });
  await renewed;
  expect((await scrape()).value(name)).toBeGreaterThan(end + 60 * 86_400);
});
