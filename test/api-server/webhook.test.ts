import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { KubeClient } from '../../operator/kube/client.ts';
import {
  AGENT_RUNS, INSTANCES, MUTATING_WEBHOOKS, POLICIES, RUNTIME_CLASSES, SECRETS, VALIDATING_WEBHOOKS, type WebhookConfiguration,
} from '../../operator/kube/resources.ts'; // prettier-ignore
import { SILENT } from '../../operator/log.ts';
import { systemClock as clock } from '../../operator/main/process.ts';
import { runWebhook, type RunningWebhook } from '../../operator/webhook/run.ts';
import { ApiServer } from '../support/api-server.ts';
import { freePort } from '../support/free-port.ts';
import { eventually } from '../support/eventually.ts';
import { must } from '../support/must.ts';
import { agentRun, instance, policy } from '../support/objects.ts';

const NAME = 'sympozium';

let server: ApiServer;
let kube: KubeClient;
let own: KubeClient;
let port: number;
const stop = new AbortController();
let webhook: RunningWebhook;

const start = (onPort: number, signal: AbortSignal) =>
  runWebhook(
    {
      kube: own,
      clock,
      random: () => 0,
      log: SILENT,
      namespace: 'sympozium-system',
      hosts: ['localhost'],
      certificate: { configuration: NAME },
      port: onPort,
      drainMs: 0,
    },
    signal,
  );

/** What the manifests say, but for an address that is reached from here. */
const configuration = (kind: string, path: string, operations: readonly string[]): WebhookConfiguration => ({
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind,
  metadata: { name: NAME },
  webhooks: [
    {
      name: `${path}.sympozium.ai`,
      admissionReviewVersions: ['v1'],
      clientConfig: { url: `https://localhost:${port}/${path}` },
      failurePolicy: 'Fail',
      sideEffects: 'None',
      rules: [
        {
          apiGroups: ['sympozium.ai'],
          apiVersions: ['v1alpha1'],
          operations,
          resources: ['agentruns', 'sympoziuminstances', 'sympoziumpolicies'],
        },
      ],
    } as NonNullable<WebhookConfiguration['webhooks']>[number],
  ],
});

beforeAll(async () => {
  server = await ApiServer.start();
  kube = server.client();
  own = server.client('sympozium-webhook');
  port = await freePort();
  await server.namespace('sympozium-system');
  await server.namespace('team');
  await kube.create(MUTATING_WEBHOOKS, configuration('MutatingWebhookConfiguration', 'mutate', ['CREATE']));
  await kube.create(
    VALIDATING_WEBHOOKS,
    configuration('ValidatingWebhookConfiguration', 'validate', ['CREATE', 'UPDATE']),
  );
  webhook = start(port, stop.signal);
  await eventually(() => webhook.problem === undefined, 20_000);
  await eventually(() => kube.create(POLICIES, policy('default')).then(Boolean, () => false), 20_000);
}, 120_000);
afterAll(async () => {
  stop.abort();
  await webhook.ended;
  kube.close();
  own.close();
  await server.remove();
});

const bundle = async () =>
  (await kube.get(VALIDATING_WEBHOOKS, { name: NAME }))?.webhooks?.[0]?.clientConfig.caBundle ?? '';

describe('The API server, asking the webhook', () => {
  test('refuses a run of an instance that is not there, in one sentence', async () => {
    await expect(kube.create(AGENT_RUNS, agentRun('orphan', { instanceRef: 'nobody' }))).rejects.toMatchObject({
      code: 'Invalid',
      message: expect.stringContaining(
        `denied the request: spec.instanceRef: SympoziumInstance 'nobody' is not in namespace 'team': create it first, or correct the name`,
      ) as unknown,
    });
  });

  test('takes an instance and its run one right after the other', async () => {
    await kube.create(INSTANCES, instance({}, 'quick'));
    await kube.create(AGENT_RUNS, agentRun('quick', { instanceRef: 'quick' }));
  });

  test('stamps who asked, whatever the object says, and lets nobody change it', async () => {
    const alice = server.client('test', 'alice-token');
    const forged = { name: 'stamped', namespace: 'team', annotations: { 'sympozium.ai/requested-by': 'bob' } };
    const run = await alice.create(AGENT_RUNS, agentRun('stamped', { instanceRef: 'quick' }, { metadata: forged }));
    alice.close();
    expect(run.metadata.annotations).toEqual({ 'sympozium.ai/requested-by': 'alice' });
    const annotations = { 'sympozium.ai/requested-by': 'bob' };
    await expect(kube.replace(AGENT_RUNS, { ...run, metadata: { ...run.metadata, annotations } })).rejects.toThrow(
      "can't be changed: got 'bob', expected 'alice'",
    );
  });

  test('refuses a policy that is not there, and lists those that are', async () => {
    await expect(kube.create(INSTANCES, instance({ policy: 'strict' }, 'lost'))).rejects.toThrow(/there are 'default'/);
  });

  test('takes a policy whose sandbox is still to be installed, but no instance and no run under it', async () => {
    // A built-in policy may come after its instances; and what the webhook's copy lacks is looked up, so nothing lags.
    await kube.create(INSTANCES, instance({ policy: 'restrictive' }, 'boxed'));
    const sandbox = { enabled: true, runtimeClass: 'later' };
    await kube.create(POLICIES, policy('restrictive', { template: 'Restrictive', sandbox }));
    await expect(kube.create(INSTANCES, instance({ policy: 'restrictive' }, 'another'))).rejects.toThrow(
      "needs RuntimeClass 'later'",
    );
    await expect(kube.create(AGENT_RUNS, agentRun('boxed', { instanceRef: 'boxed' }))).rejects.toThrow(
      "needs RuntimeClass 'later'",
    );
    await kube.create(RUNTIME_CLASSES, {
      apiVersion: 'node.k8s.io/v1',
      kind: 'RuntimeClass',
      metadata: { name: 'later' },
      handler: 'runc',
    } as never);
    await kube.create(AGENT_RUNS, agentRun('boxed', { instanceRef: 'boxed' }));
  });

  test('is not asked about a status', async () => {
    const before = await kube.get(AGENT_RUNS, { namespace: 'team', name: 'quick' });
    await kube.delete(INSTANCES, { namespace: 'team', name: 'quick' });
    await kube.applyStatus(AGENT_RUNS, {
      ...agentRun('quick'),
      spec: undefined,
      status: { phase: 'Running' },
    } as never);
    expect((await kube.get(AGENT_RUNS, { namespace: 'team', name: 'quick' }))?.status?.phase).toBe('Running');
    expect(before?.status?.phase).toBe('Pending');
  });
});

describe('The certificate', () => {
  test('is trusted again seconds after someone wiped the trust', async () => {
    const before = await bundle();
    expect(before).not.toBe('');
    const found = must(await kube.get(VALIDATING_WEBHOOKS, { name: NAME }));
    await kube.replace(VALIDATING_WEBHOOKS, {
      ...found,
      webhooks: configuration('ValidatingWebhookConfiguration', 'validate', ['CREATE', 'UPDATE']).webhooks ?? [],
    });
    expect(await eventually(async () => (await bundle()) === before, 5_000)).toBe(true);
  });

  test('is the same for a second replica', async () => {
    const stopSecond = new AbortController();
    const second = start(await freePort(), stopSecond.signal);
    await eventually(() => second.problem === undefined);
    const secret = await kube.get(SECRETS, { namespace: 'sympozium-system', name: 'sympozium-webhook-tls' });
    expect(secret?.data?.['ca-bundle.crt']).toBe(await bundle());
    stopSecond.abort();
    await second.ended;
  });
});
