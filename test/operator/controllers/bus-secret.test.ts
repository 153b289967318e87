import { expect, test } from '@jest/globals';
import { ensureBusSecret } from '../../../operator/controllers/bus-secret.ts';
import { newBusSecret } from '../../../operator/bus/config.ts';
import { SECRETS } from '../../../operator/kube/resources.ts';
import { FakeKube } from '../../support/fake-kube.ts';

const NAME = { name: 'sympozium-bus', namespace: 'system' };
const base64 = (text: string) => Buffer.from(text).toString('base64');
const holding = (data: Readonly<Record<string, string>>) => {
  const kube = new FakeKube();
  kube.put({ apiVersion: 'v1', kind: 'Secret', metadata: NAME, data } as never);
  return kube;
};

test('Two replicas that start together agree on the keys', async () => {
  const kube = new FakeKube();
  const [a, b] = await Promise.all([ensureBusSecret(kube, 'system'), ensureBusSecret(kube, 'system')]);
  expect(a).toEqual(b);
  expect(kube.writes).toEqual(['create Secret system/sympozium-bus']);
  expect(await ensureBusSecret(kube, 'system')).toEqual(a);
  const stored = await kube.get(SECRETS, NAME);
  expect(Object.keys(stored?.data ?? {}).sort()).toEqual([
    'controller.seed', 'issuer.seed', 'keys.conf', 'routes.password',
  ]); // prettier-ignore
});

test('A Secret of an earlier release keeps its seeds and gets what is missing, from one of two replicas', async () => {
  const made = newBusSecret();
  const old = {
    'nats.conf': base64('listen: 4222'),
    'issuer.seed': base64(made['issuer.seed']),
    'controller.seed': base64(made['controller.seed']),
  };
  const kube = holding(old);
  const [a, b] = await Promise.all([ensureBusSecret(kube, 'system'), ensureBusSecret(kube, 'system')]);
  expect(a).toEqual(b);
  expect(a).toMatchObject({ 'issuer.seed': made['issuer.seed'], 'keys.conf': made['keys.conf'] });
  expect(kube.writes).toEqual(['replace Secret system/sympozium-bus']);
  const data = (await kube.get(SECRETS, NAME))?.data;
  expect(data).toMatchObject({ ...old, 'keys.conf': base64(made['keys.conf']) });
  expect(data?.['routes.password']).toBe(base64(a['routes.password']));
});

test('Public keys that belong to other seeds are corrected', async () => {
  const [mine, other] = [newBusSecret(), newBusSecret()];
  const mixed = Object.fromEntries(
    Object.entries({ ...mine, 'keys.conf': other['keys.conf'] }).map(([key, value]) => [key, base64(value)]),
  );
  expect(await ensureBusSecret(holding(mixed), 'system')).toEqual(mine);
});

test('A Secret that was cut is told, not guessed', async () => {
  await expect(ensureBusSecret(holding({ 'nats.conf': '' }), 'system')).rejects.toThrow(
    "Secret 'sympozium-bus' lacks issuer.seed, controller.seed: delete it",
  );
});
