import { test } from '@jest/globals';
import {
  Admission,
  AgentNamespace,
  AgentNetworkPolicies,
  AgentRun,
  Controller,
  Crds,
  Gateway,
  Nats,
  NetworkPolicies,
  People,
  PodMonitors,
  Rbac,
  SympoziumInstance,
  SympoziumPolicy,
  SystemNamespace,
  Webhook,
  WebhookCertificate,
} from '../../../lib/index.ts';
import { expectGolden } from '../support/golden.ts';

const namespace = 'sympozium-system';
const common = { namespace, image: 'registry.example/sympozium:1.2.3' };

test('the kinds', () => {
  expectGolden('crds', (chart) => new Crds(chart, 'crds'));
});

test('the namespace of the control plane', () => {
  expectGolden('system-namespace', (chart) => new SystemNamespace(chart, 'namespace', { name: namespace }));
});

test('the rights of the control plane', () => {
  expectGolden('rbac', (chart) => new Rbac(chart, 'rbac', { namespace }));
});

test('the rights of people', () => {
  expectGolden('people', (chart) => new People(chart, 'people'));
});

test('NATS', () => {
  expectGolden('nats', (chart) => new Nats(chart, 'nats', { namespace }));
});

test('NATS with everything chosen', () => {
  expectGolden(
    'nats-options',
    (chart) =>
      new Nats(chart, 'nats', {
        namespace,
        image: 'registry.example/nats:2',
        replicas: 3,
        resources: { requests: { cpu: '1', memory: '1Gi' }, limits: { memory: '2Gi' } },
        storageSize: '50Gi',
        storageClassName: 'fast',
        scheduling: {
          imagePullSecrets: ['registry'],
          nodeSelector: { pool: 'system' },
          priorityClassName: 'platform',
          tolerations: [{ key: 'system', operator: 'Exists' }],
        },
      }),
  );
});

test('the controller', () => {
  expectGolden('controller', (chart) => new Controller(chart, 'controller', common));
});

test('the webhook', () => {
  expectGolden('webhook', (chart) => new Webhook(chart, 'webhook', common));
});

test('the admission configurations', () => {
  expectGolden('admission', (chart) => new Admission(chart, 'admission', { namespace }));
});

test('the gateway', () => {
  expectGolden('gateway', (chart) => new Gateway(chart, 'gateway', common));
});

test('the network around the control plane', () => {
  expectGolden('network-policies', (chart) => new NetworkPolicies(chart, 'network-policies', { namespace }));
});

test('the network around run Pods', () => {
  expectGolden(
    'agent-network-policies',
    (chart) => new AgentNetworkPolicies(chart, 'agents', { namespace: 'team-a', dnsNamespace: 'kube-system' }),
  );
});

test('the network around three servers of NATS and with Prometheus', () => {
  expectGolden(
    'network-policies-options',
    (chart) =>
      new NetworkPolicies(chart, 'network-policies', { namespace, natsReplicas: 3, monitoringNamespace: 'monitoring' }),
  );
});

test('a namespace of agents', () => {
  expectGolden('agent-namespace', (chart) => new AgentNamespace(chart, 'team', { name: 'team-a' }));
});

test('what Prometheus is told', () => {
  expectGolden('pod-monitors', (chart) => new PodMonitors(chart, 'monitors', { namespace, labels: { release: 'x' } }));
});

test('the webhook with cert-manager: its certificate, what the API server is told, and that it may do less', () => {
  const certificates = { certManager: {} };
  expectGolden('cert-manager', (chart) => {
    new WebhookCertificate(chart, 'certificate', { namespace });
    new Webhook(chart, 'webhook', { ...common, certificates });
    new Admission(chart, 'admission', { namespace, trustedBy: 'cert-manager' });
    new Rbac(chart, 'rbac', { namespace, certificates });
  });
});

test('an agent, its policy and a run of it, as a team writes them', () => {
  expectGolden('resources', (chart) => {
    const policy = new SympoziumPolicy(chart, 'policy', {
      metadata: { name: 'careful', namespace: 'team-a' },
      spec: { template: 'Default', requireApproval: ['write_file'], deniedTools: ['execute_command'] },
    });
    const agent = new SympoziumInstance(chart, 'agent', {
      metadata: { name: 'sre-watchdog', namespace: 'team-a' },
      spec: {
        provider: { name: 'openai', model: 'gpt-4o', apiKeySecret: 'openai-secret' },
        systemPrompt: 'You are an SRE agent.',
        policy: policy.name,
      },
    });
    new AgentRun(chart, 'run', {
      metadata: { namespace: 'team-a' },
      spec: { instanceRef: agent.name, input: 'Pod crashlooping in namespace payments' },
    });
  });
});
