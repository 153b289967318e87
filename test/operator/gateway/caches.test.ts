import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { effectivePolicy } from '../../../lib/policy/effective.ts';
import type { KubeObject } from '../../../operator/kube/port.ts';
import { INSTANCES, POLICIES } from '../../../operator/kube/resources.ts';
import { GatewayCaches, lookupIn } from '../../../operator/gateway/caches.ts';
import { kubeReader } from '../../../operator/gateway/kube-reader.ts';
import { SILENT } from '../../../operator/log.ts';
import { eventually } from '../../support/eventually.ts';
import { FakeKube } from '../../support/fake-kube.ts';
import { systemClock as clock } from '../../../operator/main/process.ts';
import { policyOf } from './support.ts';

const namespace = (name: string, labels: Record<string, string> = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name, labels },
});
const AGENT = {
  apiVersion: 'sympozium.ai/v1alpha1',
  kind: 'SympoziumInstance',
  metadata: { name: 'agent', namespace: 'team' },
  spec: { provider: { name: 'openai', model: 'm' }, policy: 'open', systemPrompt: 'x'.repeat(10_000) },
} as const;
const OPEN = policyOf('open', { template: 'Permissive' });
const FLOOR = policyOf('floor', {
  template: 'Permissive',
  egress: { mode: 'None' },
  enforce: { namespaceSelector: { matchLabels: { tier: 'guarded' } } },
});

let stop: AbortController;
beforeEach(() => {
  stop = new AbortController();
});
afterEach(() => {
  stop.abort();
});

function start(...objects: KubeObject[]) {
  const kube = new FakeKube(...objects);
  const caches = new GatewayCaches({ kube, clock, random: () => 0, log: SILENT });
  void caches.run(stop.signal);
  const reader = kubeReader(kube, lookupIn(kube, caches, 'sympozium-system'));
  const egressOf = async (name: string) => {
    const rules = await reader.rules(name, 'open');
    return rules === undefined ? undefined : effectivePolicy(rules, AGENT).egress.map(({ mode }) => mode);
  };
  return { kube, caches, reader, egressOf };
}

test('the gateway is not ready before it knows the rules', async () => {
  const { caches } = start(AGENT, OPEN, namespace('team'));
  expect(caches.missing).toBe('not listed yet: instances, policies, namespaces');
  await eventually(() => caches.missing === undefined);
});

test('P4 policies, floors, labels and instances are as the cluster has them now, without a question', async () => {
  const { kube, caches, reader, egressOf } = start(AGENT, OPEN, namespace('team'));
  await eventually(() => caches.missing === undefined);
  kube.get = () => Promise.reject(new Error('nobody should have asked'));
  expect(await egressOf('team')).toEqual(['All']);
  await kube.replace(POLICIES, policyOf('open', { template: 'Permissive', egress: { mode: 'Web' } }));
  await eventually(async () => (await egressOf('team'))?.[0] === 'Web');
  await kube.create(POLICIES, FLOOR);
  expect(await egressOf('team')).toEqual(['Web']);
  await kube.replace(
    { apiVersion: 'v1', kind: 'Namespace', plural: 'namespaces' },
    namespace('team', { tier: 'guarded' }),
  );
  await eventually(async () => (await egressOf('team'))?.includes('None'));
  expect((await reader.instance('team', 'agent'))?.spec).toEqual({ provider: AGENT.spec.provider, policy: 'open' });
  await kube.replace(INSTANCES, { ...AGENT, spec: { ...AGENT.spec, provider: { name: 'openai', model: 'other' } } });
  await eventually(async () => (await reader.instance('team', 'agent'))?.spec.provider.model === 'other');
});

test('what is newer than the copies is looked up; a namespace whose labels nobody knows is refused', async () => {
  const { kube, caches, reader, egressOf } = start(OPEN, FLOOR, namespace('team'));
  await eventually(() => caches.missing === undefined);
  await expect(egressOf('newer')).rejects.toThrow("namespace 'newer' is not known yet");
  kube.get = (_resource, { name }) => Promise.resolve((name === 'agent' ? AGENT : undefined) as never);
  expect((await reader.instance('team', 'agent'))?.metadata.name).toBe('agent');
  expect(await reader.rules('team', 'missing')).toBeUndefined();
  expect(reader.noPolicy('team', 'missing')).toContain("SympoziumPolicy 'missing' is neither in namespace 'team'");
});
