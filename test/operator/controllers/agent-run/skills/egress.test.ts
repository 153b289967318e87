import { describe, expect, test } from '@jest/globals';
import type { EffectivePolicy } from '../../../../../lib/policy/effective.ts';
import { egressOf } from '../../../../../operator/controllers/agent-run/skills/egress.ts';
import type { KubeObject } from '../../../../../operator/kube/port.ts';
import { FakeKube } from '../../../../support/fake-kube.ts';

const ADDRESSES: Readonly<Record<string, readonly string[]>> = {
  'api.example.com': ['93.184.216.34', '2606:2800::1'],
  'sneaky.example.com': ['169.254.169.254', '127.0.0.1', '::1', '93.184.216.34'],
  'inside.example.com': ['10.9.8.7'],
  'db.example.com': ['93.184.216.35'],
};
const object = (kind: string, name: string, rest: object) =>
  ({ apiVersion: 'v1', kind, metadata: { name: name.split('/')[1], namespace: name.split('/')[0] }, ...rest }) as KubeObject; // prettier-ignore
const endpoints = (ip: string, port: number) => ({ subsets: [{ addresses: [{ ip }], ports: [{ port }] }] });

const kube = new FakeKube(
  object('Service', 'default/kubernetes', { spec: { clusterIPs: ['10.96.0.1'] } }),
  object('Endpoints', 'default/kubernetes', endpoints('192.168.1.2', 6443)),
  object('Service', 'monitoring/prometheus', {
    spec: { selector: { app: 'prometheus' }, ports: [{ port: 80, targetPort: 'web' }] },
  }),
  object('Service', 'team/cache', { spec: { selector: { app: 'cache' } } }),
  object('Service', 'team/outside', { spec: {} }),
  object('Endpoints', 'team/outside', endpoints('10.3.3.3', 5432)),
  object('Service', 'team/alias', { spec: { externalName: 'db.example.com' } }),
);
const context = { kube, namespace: 'team', resolve: (host: string) => Promise.resolve(ADDRESSES[host] ?? []) };

type Rules = EffectivePolicy['egress'];
const WEB: Rules = [{ source: "policy 'default'", mode: 'Web' }];
const ANYTHING: Rules = [];
const egress = (hosts: readonly string[], { system = true, apiServer = false, rules = WEB } = {}) =>
  egressOf(
    context,
    [
      {
        name: 'ops',
        namespaces: ['team'],
        system,
        spec: { sidecar: { image: 'x' }, egress: { apiServer, hosts: [...hosts] } },
      },
    ],
    { egress: rules },
  );

describe('The way out of a run with skills', () => {
  test.each([
    ['10.0.0.0/8:443', [{ ipBlock: { cidr: '10.0.0.0/8' } }], 443],
    [
      'api.example.com:443',
      [{ ipBlock: { cidr: '93.184.216.34/32' } }, { ipBlock: { cidr: '2606:2800::1/128' } }],
      443,
    ],
    ['prometheus.monitoring.svc:80', [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'monitoring' } }, podSelector: { matchLabels: { app: 'prometheus' } } }], 'web'], // prettier-ignore
    ['prometheus.monitoring.svc.cluster.local:80', [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'monitoring' } }, podSelector: { matchLabels: { app: 'prometheus' } } }], 'web'], // prettier-ignore
    ['cache:6379', [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'team' } }, podSelector: { matchLabels: { app: 'cache' } } }], 6379], // prettier-ignore
    ['outside:5432', [{ ipBlock: { cidr: '10.3.3.3/32' } }], 5432],
    ['alias:5432', [{ ipBlock: { cidr: '93.184.216.35/32' } }], 5432],
  ])('to %s', async (host, to, port) => {
    expect(await egress([host])).toEqual({
      rules: [{ to, ports: [{ protocol: 'TCP', port }] }],
      unknown: [],
      forbidden: [],
    });
  });

  test('to the API server is to its Service and to what is behind it', async () => {
    expect((await egress([], { apiServer: true })).rules).toEqual([
      { to: [{ ipBlock: { cidr: '10.96.0.1/32' } }], ports: [{ protocol: 'TCP', port: 443 }] },
      { to: [{ ipBlock: { cidr: '192.168.1.2/32' } }], ports: [{ protocol: 'TCP', port: 6443 }] },
    ]);
  });

  test('of a name never leads to the node or to the metadata of the cloud', async () => {
    expect((await egress(['sneaky.example.com:80'])).rules).toEqual([
      { to: [{ ipBlock: { cidr: '93.184.216.34/32' } }], ports: [{ protocol: 'TCP', port: 80 }] },
    ]);
  });

  test('stays closed to what is not there, and says so', async () => {
    const hosts = ['nowhere.example.com:443', 'loki.monitoring.svc:3100'];
    expect(await egress(hosts)).toEqual({ rules: [], unknown: hosts, forbidden: [] });
  });

  test.each<[string, Rules, boolean]>([
    ['api.example.com:443', WEB, true],
    ['inside.example.com:443', WEB, false],
    ['10.0.0.0/8:443', WEB, false],
    ['0.0.0.0/0:443', WEB, false],
    ['prometheus.monitoring.svc:80', WEB, false],
    ['prometheus.monitoring.svc:80', ANYTHING, true],
    ['api.example.com:443', [{ source: 'p', mode: 'None' }], false],
    ['api.example.com:443', [{ source: 'p', mode: 'All', hosts: ['*.example.com'] }], true],
    ['api.example.com:443', [{ source: 'p', mode: 'All', hosts: ['other.com'] }], false],
  ])('of a pack that is not the administrator’s to %s under %j: %s', async (host, rules, allowed) => {
    const { forbidden, rules: opened } = await egress([host], { system: false, rules });
    expect([forbidden.length === 0, opened.length > 0]).toEqual([allowed, allowed]);
  });
});
