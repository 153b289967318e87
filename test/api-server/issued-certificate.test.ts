import { once } from 'node:events';
import { connect } from 'node:tls';
import { X509Certificate } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { synthesise } from '../../lib/distribution.ts';
import type { KubeClient } from '../../operator/kube/client.ts';
import type { KubeObject } from '../../operator/kube/port.ts';
import { SECRETS } from '../../operator/kube/resources.ts';
import { SILENT, type LogFields } from '../../operator/log.ts';
import { systemClock as clock } from '../../operator/main/process.ts';
import { newAuthority, newServing, type KeyPair } from '../../operator/webhook/certificate.ts';
import { runWebhook, type RunningWebhook } from '../../operator/webhook/run.ts';
import { ApiServer } from '../support/api-server.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { must } from '../support/must.ts';

const SYSTEM = 'sympozium-system';
const HOST = `sympozium-webhook.${SYSTEM}.svc`;
const NAME = { name: 'sympozium-webhook-issued', namespace: SYSTEM };
const PLURALS: Readonly<Record<string, string>> = {
  ServiceAccount: 'serviceaccounts',
  ClusterRole: 'clusterroles',
  ClusterRoleBinding: 'clusterrolebindings',
  Role: 'roles',
  RoleBinding: 'rolebindings',
};

let server: ApiServer;
let admin: KubeClient;
let own: KubeClient;
let port: number;
let webhook: RunningWebhook;
let authority: KeyPair;
const stop = new AbortController();
/** What the API server refused, in its words. */
const refused: string[] = [];
const note = (_: string, { error, why }: LogFields = {}) => {
  const text = error instanceof Error ? error.message : typeof why === 'string' ? why : '';
  if (text.includes('forbidden')) refused.push(text);
};

/** The Secret as cert-manager writes it. */
const issued = ({ certificate, key }: KeyPair) => ({
  apiVersion: 'v1',
  kind: 'Secret',
  type: 'kubernetes.io/tls',
  metadata: { ...NAME, annotations: { 'cert-manager.io/certificate-name': 'sympozium-webhook' } },
  data: Object.fromEntries(
    Object.entries({ 'ca.crt': authority.certificate, 'tls.crt': certificate, 'tls.key': key }).map(([name, text]) => [
      name,
      Buffer.from(text).toString('base64'),
    ]),
  ),
});
const serving = (host = HOST) => newServing(authority, [host], new Date());

/** Fingerprint of the certificate that is served to whoever trusts the authority. */
async function served(): Promise<string> {
  const socket = connect({ host: '127.0.0.1', port, ca: authority.certificate, servername: HOST });
  try {
    await once(socket, 'secureConnect');
    return must(socket.getPeerX509Certificate()).fingerprint256;
  } finally {
    socket.destroy();
  }
}
const fingerprint = ({ certificate }: KeyPair) => new X509Certificate(certificate).fingerprint256;

beforeAll(async () => {
  server = await ApiServer.start();
  admin = server.client();
  await server.namespace(SYSTEM);
  const parts = synthesise({ certificates: { certManager: {} } });
  for (const object of parts.flatMap(({ manifests }) => manifests) as KubeObject[]) {
    const { apiVersion, kind } = object;
    const plural = PLURALS[kind];
    if (plural !== undefined) await admin.create({ apiVersion, kind, plural }, object);
  }
  own = server.client('sympozium-webhook', await server.token(SYSTEM, 'sympozium-webhook'));
  authority = await newAuthority(new Date());
  port = await freePort();
  const log = { ...SILENT, warn: note, error: note };
  webhook = runWebhook(
    {
      kube: own,
      clock,
      random: () => 0,
      log,
      namespace: SYSTEM,
      hosts: [HOST],
      certificate: { certificateSecret: NAME.name },
      port,
      drainMs: 0,
    },
    stop.signal,
  );
}, 120_000);
afterAll(async () => {
  stop.abort();
  await webhook.ended;
  admin.close();
  own.close();
  await server.remove();
});

test('Until cert-manager has made the certificate, the webhook says what it waits for', async () => {
  await eventually(() => webhook.problem?.includes('Secret') ?? false, 20_000);
  expect(webhook.problem).toMatch(/^Secret 'sympozium-webhook-issued' is not there yet: cert-manager makes it; /);
});

test('A certificate is served as soon as it is there, with fewer rights than to make one', async () => {
  const first = await serving();
  await admin.create(SECRETS, issued(first));
  await eventually(() => webhook.problem === undefined || refused.length > 0, 20_000);
  expect(refused).toEqual([]);
  expect(await served()).toBe(fingerprint(first));
});

test('A renewed certificate is served without a restart', async () => {
  const second = await serving();
  await admin.replace(SECRETS, issued(second));
  await eventually(async () => (await served()) === fingerprint(second), 10_000);
  expect(webhook.problem).toBeUndefined();
});

test('One that can not be served is told, and the old one stays', async () => {
  const [before, other] = [await served(), await serving()];
  await admin.replace(SECRETS, issued({ ...other, key: (await serving()).key }));
  await eventually(() => webhook.problem?.includes('tls.key') ?? false, 10_000);
  await admin.replace(SECRETS, issued(await serving('elsewhere.svc')));
  await eventually(() => webhook.problem?.includes(`expected a certificate for '${HOST}'`) ?? false, 70_000);
  expect(await served()).toBe(before);
}, 90_000);
