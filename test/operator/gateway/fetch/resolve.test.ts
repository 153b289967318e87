import { describe, expect, test } from '@jest/globals';
import { clusterDomain } from '../../../../operator/gateway/fetch/resolve.ts';

describe('the domain of the cluster', () => {
  test.each([
    ['search team.svc.cluster.local svc.cluster.local cluster.local\nnameserver 10.96.0.10\n', 'cluster.local'],
    [
      'nameserver 10.96.0.10\nsearch team.svc.acme.internal svc.acme.internal acme.internal\noptions ndots:5\n',
      'acme.internal',
    ],
    ['search svc.here.example\n', 'here.example'],
    ['search example.com\n', 'cluster.local'],
    ['', 'cluster.local'],
  ])('%j', (text, domain) => {
    expect(clusterDomain(text)).toBe(domain);
  });
});
