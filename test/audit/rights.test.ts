import { expect, test } from '@jest/globals';
import { requestOf, type AuditEvent } from './log.ts';
import { lineOf, neededFor, rightsFor, rightsIn } from './rights.ts';

const subject = { kind: 'ServiceAccount', name: 'worker', namespace: 'system' };
const role = (kind: string, rules: readonly object[]) => [
  { apiVersion: 'rbac.authorization.k8s.io/v1', kind, metadata: { name: 'worker' }, rules },
  {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: `${kind}Binding`,
    metadata: { name: 'worker' },
    roleRef: { kind, name: 'worker' },
    subjects: [subject],
  },
];
const JOBS = { apiGroups: ['batch'], resources: ['jobs'], verbs: ['get', 'create', 'patch'] };
const rights = rightsIn([
  ...role('ClusterRole', [JOBS, { apiGroups: ['batch'], resources: ['jobs/status'], verbs: ['patch'] }]),
  ...role('Role', [{ apiGroups: [''], resources: ['secrets'], verbs: ['get'], resourceNames: ['own'] }]),
]);

const event = (verb: string, rest: Partial<AuditEvent> & { readonly by?: string } = {}): AuditEvent => ({
  verb,
  requestURI: '/',
  user: {
    username: 'system:serviceaccount:system:worker',
    extra: { 'authentication.kubernetes.io/pod-name': ['worker-1-a'] },
  },
  objectRef: { apiGroup: 'batch', resource: 'jobs', name: 'x' },
  responseStatus: { code: 200 },
  annotations: {
    'authorization.k8s.io/decision': 'allow',
    'authorization.k8s.io/reason': `RBAC: allowed by ${rest.by ?? 'ClusterRole'}Binding "worker" of ${rest.by ?? 'ClusterRole'} "worker" to ServiceAccount "worker/system"`,
  },
  ...rest,
});
const used = (...given: Parameters<typeof event>) =>
  rightsFor(requestOf(event(...given), 'system:serviceaccount:system:'.length), rights).map(lineOf);

test('a right is one verb on one resource, by one role', () => {
  expect(rights.map(lineOf)).toEqual([
    'worker: get batch/jobs by ClusterRole "worker"',
    'worker: create batch/jobs by ClusterRole "worker"',
    'worker: patch batch/jobs by ClusterRole "worker"',
    'worker: patch batch/jobs/status by ClusterRole "worker"',
    `worker: get /secrets 'own' by Role "worker"`,
  ]);
});

test('a request uses the right to it, and no other', () => {
  expect(used('get')).toEqual(['worker: get batch/jobs by ClusterRole "worker"']);
  expect(
    used('patch', { objectRef: { apiGroup: 'batch', resource: 'jobs', subresource: 'status', name: 'x' } }),
  ).toEqual(['worker: patch batch/jobs/status by ClusterRole "worker"']);
  expect(used('delete')).toEqual([]);
});

test('a patch that made the object uses the right to create it too', () => {
  expect(used('patch')).toHaveLength(1);
  expect(used('patch', { responseStatus: { code: 201 } })).toEqual([
    'worker: create batch/jobs by ClusterRole "worker"',
    'worker: patch batch/jobs by ClusterRole "worker"',
  ]);
});

test('a right to one object is not used by a request for another, nor by what another role allows', () => {
  const secret = (name: string) => ({ objectRef: { resource: 'secrets', name }, by: 'Role' });
  expect(used('get', secret('own'))).toHaveLength(1);
  expect(used('get', secret('other'))).toEqual([]);
  expect(used('get', { ...secret('own'), by: 'ClusterRole' })).toEqual([]);
});

test('a right to all namespaces is not needed for what is in the system namespace', () => {
  const needed = (namespace: string, by: string) => {
    const objectRef = { apiGroup: 'batch', resource: 'jobs', name: 'x', namespace };
    const request = requestOf(event('get', { objectRef, by }), 'system:serviceaccount:system:'.length);
    return neededFor(request, rightsIn(role(by, [JOBS])), 'system');
  };
  expect(needed('system', 'ClusterRole')).toEqual([]);
  expect(needed('system', 'Role')).toHaveLength(1);
  expect(needed('team', 'ClusterRole')).toHaveLength(1);
  expect(needed('', 'ClusterRole')).toHaveLength(1);
});

test('who asked, from where, and what was said are kept', () => {
  expect(requestOf(event('get'), 'system:serviceaccount:system:'.length)).toMatchObject({
    account: 'worker',
    pod: 'worker-1-a',
    allowed: true,
    code: 200,
  });
  expect(requestOf(event('get', { annotations: { 'authorization.k8s.io/decision': 'forbid' } }), 0).allowed).toBe(
    false,
  );
});
