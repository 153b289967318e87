import { expect, test } from '@jest/globals';
import { ensureBusSecret } from '../../../operator/controllers/bus-secret.ts';
import { SECRETS } from '../../../operator/kube/resources.ts';
import { FakeKube } from '../../support/fake-kube.ts';

test('Two replicas that start together agree on the keys', async () => {
  const kube = new FakeKube();
  const [a, b] = await Promise.all([ensureBusSecret(kube, 'system'), ensureBusSecret(kube, 'system')]);
  expect(a).toEqual(b);
  expect(kube.writes).toEqual(['create Secret system/sympozium-bus']);
  expect(await ensureBusSecret(kube, 'system')).toEqual(a);
  const stored = await kube.get(SECRETS, { namespace: 'system', name: 'sympozium-bus' });
  expect(Object.keys(stored?.data ?? {}).sort()).toEqual(['controller.seed', 'issuer.seed', 'nats.conf']);
});

test('A Secret that was cut is told, not guessed', async () => {
  const kube = new FakeKube();
  kube.put({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'sympozium-bus', namespace: 'system' },
    data: { 'nats.conf': '' },
  } as never);
  await expect(ensureBusSecret(kube, 'system')).rejects.toThrow(
    "Secret 'sympozium-bus' lacks issuer.seed, controller.seed: delete it",
  );
});
