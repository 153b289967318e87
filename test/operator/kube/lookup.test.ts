import { expect, test } from '@jest/globals';
import { Lookup } from '../../../operator/kube/lookup.ts';
import { keyOf, type KubeObject } from '../../../operator/kube/port.ts';
import { FakeKube } from '../../support/fake-kube.ts';
import { policy } from '../../support/objects.ts';

const SYSTEM = 'sympozium-system';
const everywhere = { namespaceSelector: {} };
const production = { namespaceSelector: { matchLabels: { tier: 'production' } } };

const cacheOf = <T extends KubeObject>(...objects: T[]) => ({
  get: (key: string) => objects.find((object) => keyOf(object) === key),
  list: () => objects,
  synced: true,
});
const namespace = (name: string, labels?: Record<string, string>): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name, ...(labels && { labels }) },
});
const lookup = (policies: ReturnType<typeof policy>[], namespaces: KubeObject[], ...live: KubeObject[]) =>
  new Lookup(
    new FakeKube(...live),
    { instances: cacheOf(), policies: cacheOf(...policies), namespaces: cacheOf(...namespaces) },
    SYSTEM,
  );
const names = (policies: readonly { readonly metadata: { readonly name: string } }[]) =>
  policies.map(({ metadata }) => metadata.name);

test('The floors of a namespace are those of the system namespace that select it, by name', async () => {
  const policies = [
    policy('b', { enforce: production }),
    policy('a', { enforce: everywhere }),
    policy('other', { enforce: { namespaceSelector: { matchLabels: { tier: 'test' } } } }),
    policy('none'),
    policy('theirs', { enforce: everywhere }, 'team'),
  ];
  const found = lookup(policies, [namespace('team', { tier: 'production' }), namespace('lab')]);
  expect(names(await found.floors('team'))).toEqual(['a', 'b']);
  expect(names(await found.floors('lab'))).toEqual(['a']);
});

test('A namespace that the copy does not know yet is looked up', async () => {
  const found = lookup([policy('b', { enforce: production })], [], namespace('new', { tier: 'production' }));
  expect(names(await found.floors('new'))).toEqual(['b']);
});

test('The own policy is the nearest one, and comes with the floors', async () => {
  const policies = [policy('default', {}, 'team'), policy('default'), policy('base', { enforce: everywhere })];
  const found = lookup(policies, [namespace('team')]);
  expect((await found.rules('team'))?.own.metadata.namespace).toBe('team');
  expect((await found.rules('other'))?.own.metadata.namespace).toBe(SYSTEM);
  expect(names((await found.rules('team', 'default'))?.floors ?? [])).toEqual(['base']);
  expect(await found.rules('team', 'lenient')).toBeUndefined();
});
