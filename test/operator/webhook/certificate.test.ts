import { describe, expect, test } from '@jest/globals';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { createServer, request } from 'node:https';
import type { AddressInfo } from 'node:net';
import {
  belong,
  fits,
  isOld,
  newAuthority,
  newServing,
  unexpired,
  type KeyPair,
} from '../../../operator/webhook/certificate.ts';
import { ensureCertificates, renewed } from '../../../operator/webhook/tls-secret.ts';
import { FakeKube } from '../../support/fake-kube.ts';

const HOSTS = ['webhook.system.svc'];
const now = new Date();
const days = (count: number) => new Date(now.getTime() + count * 86_400_000);

/** The status of a request that trusts `ca` only. */
async function call(serving: KeyPair, ca: string, servername = 'webhook.system.svc'): Promise<number> {
  const server = createServer({ cert: serving.certificate, key: serving.key }, (_, response) => response.end());
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  try {
    const sent = request({ host: '127.0.0.1', port, ca, servername, agent: false }).end();
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    return response.resume().statusCode ?? 0;
  } finally {
    server.close();
    server.closeAllConnections();
  }
}

describe('A serving certificate', () => {
  test('is trusted by whoever trusts its authority, for its host, and by nobody else', async () => {
    const [authority, other] = await Promise.all([newAuthority(now), newAuthority(now)]);
    const serving = await newServing(authority, HOSTS, now);
    expect(await call(serving, authority.certificate)).toBe(200);
    await expect(call(serving, other.certificate)).rejects.toThrow();
    await expect(call(serving, authority.certificate, 'elsewhere.svc')).rejects.toThrow(/altnames/);
    expect(fits(serving, authority.certificate, HOSTS)).toBe(true);
    expect(fits(serving, other.certificate, HOSTS)).toBe(false);
    expect(fits(serving, authority.certificate, [...HOSTS, 'more.svc'])).toBe(false);
  });

  test('belongs to its own key and to no other', async () => {
    const authority = await newAuthority(now);
    const [mine, other] = await Promise.all([newServing(authority, HOSTS, now), newServing(authority, HOSTS, now)]);
    expect(belong(mine)).toBe(true);
    expect(belong({ ...mine, key: other.key })).toBe(false);
    expect(belong({ ...mine, key: 'nonsense' })).toBe(false);
    expect(belong({ ...mine, certificate: '' })).toBe(false);
  });

  test('is old after two thirds of its 90 days', async () => {
    const { certificate } = await newServing(await newAuthority(now), HOSTS, now);
    expect(isOld(certificate, days(59))).toBe(false);
    expect(isOld(certificate, days(61))).toBe(true);
    expect(isOld('nonsense', now)).toBe(true);
    expect(new X509Certificate(certificate).ca).toBe(false);
  });
});

describe('Renewal', () => {
  test('changes nothing while all is well', async () => {
    const first = await renewed(undefined, HOSTS, now);
    expect(await renewed(first, HOSTS, days(50))).toBe(first);
  });

  test('makes a new serving certificate in time, by the same authority', async () => {
    const first = await renewed(undefined, HOSTS, now);
    const second = await renewed(first, HOSTS, days(61));
    expect(second.authority).toEqual(first.authority);
    expect(second.bundle).toBe(first.bundle);
    expect(second.serving.certificate).not.toBe(first.serving.certificate);
  });

  test('makes one when the Service has another name', async () => {
    const first = await renewed(undefined, HOSTS, now);
    expect(fits((await renewed(first, ['new.svc'], now)).serving, first.authority.certificate, ['new.svc'])).toBe(true);
  });

  test('keeps the old authority trusted beside the new one, until it ends', async () => {
    const first = await renewed(undefined, HOSTS, now);
    const second = await renewed(first, HOSTS, days(2500)); // two thirds of ten years
    expect(unexpired(second.bundle, days(2500))).toHaveLength(2);
    expect(await call(first.serving, second.bundle)).toBe(200);
    expect(await call((await renewed(first, HOSTS, now)).serving, second.bundle)).toBe(200);
    expect(unexpired((await renewed(second, HOSTS, days(3700))).bundle, days(3700))).toHaveLength(1);
  });

  test('heals a Secret that someone emptied', async () => {
    const empty = { certificate: '', key: '' };
    const healed = await renewed({ bundle: '', authority: empty, serving: empty }, HOSTS, now);
    expect(fits(healed.serving, healed.authority.certificate, HOSTS)).toBe(true);
  });
});

test('Replicas that start together agree on their certificates', async () => {
  const kube = new FakeKube();
  const options = { kube, namespace: 'system', hosts: HOSTS };
  const [a, b] = await Promise.all([ensureCertificates(options, now), ensureCertificates(options, now)]);
  expect(a).toEqual(b);
  expect(kube.writes).toEqual(['create Secret system/sympozium-webhook-tls']);
  const [c, d] = await Promise.all([ensureCertificates(options, days(61)), ensureCertificates(options, days(61))]);
  expect(c).toEqual(d);
  expect(c.serving).not.toEqual(a.serving);
  expect(kube.writes).toHaveLength(2);
});
