import { expect, test } from '@jest/globals';
import { bind, NAMESPACE_PLACEHOLDER, NOT_THERE, type Binding } from '../../../lib/helm/bind.ts';

const deployment = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', namespace: NAMESPACE_PLACEHOLDER },
  spec: {
    replicas: 2,
    containers: [{ name: 'web', env: [{ name: 'URL', value: `http://x.${NAMESPACE_PLACEHOLDER}.svc` }] }],
  },
};
const run = (bindings: readonly Binding[], manifest: typeof deployment = deployment) => {
  const { parts, found } = bind([{ name: 'web', manifests: [manifest] }], bindings);
  return { text: [...(parts[0]?.objects.values() ?? [])].join(''), found };
};
const field = (pointer: string, object = 'Deployment/web') => ({ object, pointer });

test('a field becomes a template action, and its value is told', () => {
  const { text, found } = run([{ fields: [field('/spec/replicas')], expression: '.Values.replicas | toJson' }]);
  expect(text).toContain('\n  replicas: {{ .Values.replicas | toJson }}\n');
  expect(found).toEqual([[2]]);
  expect(deployment.spec.replicas).toBe(2);
});

test('the name of an entry finds it in a list', () => {
  const { text } = run([{ fields: [field('/spec/containers/web/env/URL/value')], expression: 'x' }]);
  expect(text).toContain('value: {{ x }}\n');
});

test('an optional field comes and goes with its line', () => {
  const { text } = run([{ fields: [field('/spec/className')], when: '.Values.c', expression: '.Values.c | toJson' }]);
  expect(text).toContain('{{- if .Values.c }}\n  className: {{ .Values.c | toJson }}\n{{- end }}\n');
});

test('the namespace is quoted where it stands alone, and plain inside of a text', () => {
  const { text } = run([]);
  expect(text).toContain('namespace: {{ .Release.Namespace | toJson }}\n');
  expect(text).toContain('value: http://x.{{ .Release.Namespace }}.svc\n');
});

test('braces of the manifests themselves stay what they are', () => {
  const { text } = run([], { ...deployment, metadata: { ...deployment.metadata, name: 'a{{b}}' } });
  expect(text).toContain('a{{ "{{" }}b{{ "}}" }}');
});

test('a field can be added, and says what it is in every case', () => {
  const { text } = run([{ fields: [field('/metadata/annotations')], adds: true, expression: 'dict | toJson' }]);
  expect(text).toContain('  annotations: {{ dict | toJson }}\n');
});

test.each([
  ['of an object that is not there', field('/spec/replicas', 'Deployment/wbe')],
  ['that is not there', field('/spec/replica')],
  ['below one that is not there', field('/spec/a/b')],
])('a field %s is told and changes nothing', (_case, where) => {
  const { text, found } = run([{ fields: [where], expression: 'x' }]);
  expect(found).toEqual([[NOT_THERE]]);
  expect(text).toBe(run([]).text);
});

test('a field that the chart would add must not be there already', () => {
  expect(() => run([{ fields: [field('/spec/replicas')], when: 'true', expression: 'x' }])).toThrow('expected nothing');
});
