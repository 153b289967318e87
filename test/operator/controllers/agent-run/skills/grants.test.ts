import { expect, test } from '@jest/globals';
import { ungranted } from '../../../../../operator/controllers/agent-run/skills/grants.ts';
import type { PolicyRule } from '../../../../../operator/kube/resources.ts';

const rule = (group: string, resources: string[], verbs: string[], resourceNames?: string[]): PolicyRule => ({
  apiGroups: [group],
  resources,
  verbs,
  ...(resourceNames === undefined ? {} : { resourceNames }),
});
const GRANTS = [
  rule('', ['pods', 'pods/log'], ['get', 'list']),
  rule('apps', ['deployments'], ['get', 'patch']),
  rule('', ['configmaps'], ['get'], ['settings']),
];

test.each<[PolicyRule, string[]]>([
  [rule('', ['pods'], ['get', 'list']), []],
  [rule('', ['pods'], ['get'], ['web']), []],
  [rule('', ['pods', 'pods/log'], ['list']), []],
  [rule('', ['pods'], ['delete']), ['delete pods']],
  [rule('', ['pods/exec'], ['create']), ['create pods/exec']],
  [rule('apps', ['deployments', 'statefulsets'], ['patch']), ['patch statefulsets.apps']],
  [rule('', ['deployments'], ['get']), ['get deployments']],
  [rule('', ['configmaps'], ['get'], ['settings']), []],
  [rule('', ['configmaps'], ['get']), ['get configmaps']],
  [rule('', ['configmaps'], ['get'], ['settings', 'other']), ["get configmaps 'other'"]],
  [{ ...rule('', ['pods'], ['get']), apiGroups: ['', 'metrics.k8s.io'] }, ['get pods.metrics.k8s.io']],
])('R3 of %j skills may not %j', (wanted, missing) => {
  expect(ungranted([wanted], GRANTS)).toEqual(missing);
});

test('R3 Without any grant nothing is granted', () => {
  expect(ungranted([rule('', ['pods'], ['get'])], [])).toEqual(['get pods']);
});
