import { expect, test } from '@jest/globals';
import { App } from 'cdk8s';
import { ControlPlane } from '../../../lib/index.ts';
import { synthesise } from '../../../lib/distribution.ts';
import { byId, workloads } from '../support/manifests.ts';

const manifests = (props: Parameters<typeof synthesise>[0]) => synthesise(props).flatMap((part) => part.manifests);
const text = (props: Parameters<typeof synthesise>[0]) => JSON.stringify(manifests(props));

test('its charts come in the order in which they are to be applied', () => {
  const { charts } = new ControlPlane(new App(), 'control-plane');
  expect(charts.map(({ node }) => node.id)).toEqual([
    'crds', 'namespace', 'rbac', 'nats', 'controller', 'webhook', 'gateway', 'network-policies',
  ]); // prettier-ignore
});

test('in an app of ones own, the charts keep that order', () => {
  const app = new App();
  const { charts } = new ControlPlane(app, 'control-plane');
  expect(app.charts).toEqual(charts);
});

test('another namespace goes everywhere the default went', () => {
  const moved = text({ namespace: 'agents' });
  expect(moved).not.toContain('sympozium-system');
  expect(moved.split('"agents').length).toBe(text({}).split('"sympozium-system').length);
});

test('another image runs in every process of ours and in run Pods', () => {
  const own = manifests({ image: 'registry.example/x:1' }).filter(({ kind }) => kind !== 'CustomResourceDefinition');
  const found = JSON.stringify(own);
  expect(found.split('registry.example/x:1')).toHaveLength(5);
  expect(found).not.toContain('ghcr.io');
});

test('each process has a size of its own', () => {
  const found = byId(
    manifests({ gateway: { replicas: 5 }, webhook: { resources: { requests: {}, limits: { memory: '1Gi' } } } }),
  );
  const spec = (name: string) => workloads([...found.values()]).find(({ metadata }) => metadata.name === name)?.spec;
  expect(spec('sympozium-gateway')?.replicas).toBe(5);
  expect(spec('sympozium-controller')?.replicas).toBe(2);
  expect(spec('sympozium-webhook')?.template.spec.containers[0]?.resources).toMatchObject({
    limits: { memory: '1Gi' },
  });
});

test('the names of the cluster can live elsewhere', () => {
  const found = text({ dns: { clusterDomain: 'corp.internal', namespace: 'openshift-dns' } });
  expect(found).toContain('nats://sympozium-nats.sympozium-system.svc.corp.internal:4222');
  expect(found).toContain('{"name":"DNS_NAMESPACE","value":"openshift-dns"}');
  expect(found).not.toContain('kube-system');
});

test('without network policies, nothing else changes', () => {
  const open = manifests({ networkPolicies: false });
  expect(open).toEqual(manifests({}).filter(({ kind }) => kind !== 'NetworkPolicy'));
});

test('a retention that is not a duration is refused at synthesis', () => {
  expect(() => manifests({ retention: { age: '7 days' } })).toThrow("not a duration: got '7 days'");
});
