import { expect, test } from '@jest/globals';
import { bind, NAMESPACE_PLACEHOLDER, type Binding } from '../../../lib/helm/bind.ts';

const deployment = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', namespace: NAMESPACE_PLACEHOLDER },
  spec: {
    replicas: 2,
    containers: [{ name: 'web', env: [{ name: 'URL', value: `http://x.${NAMESPACE_PLACEHOLDER}.svc` }] }],
  },
};
const run = (bindings: readonly Binding[], manifest: typeof deployment = deployment) =>
  bind([{ name: 'web', manifests: [manifest] }], bindings);
const field = (pointer: string, object = 'Deployment/web') => ({ object, pointer });

test('a field becomes a template action, and its value is told', () => {
  const { templates, found } = run([{ fields: [field('/spec/replicas')], expression: '.Values.replicas | toJson' }]);
  expect(templates[0]?.text).toContain('\n  replicas: {{ .Values.replicas | toJson }}\n');
  expect(found).toEqual([[2]]);
  expect(deployment.spec.replicas).toBe(2);
});

test('the name of an entry finds it in a list', () => {
  const { templates } = run([{ fields: [field('/spec/containers/web/env/URL/value')], expression: 'x' }]);
  expect(templates[0]?.text).toContain('value: {{ x }}\n');
});

test('an optional field comes and goes with its line', () => {
  const { templates } = run([
    { fields: [field('/spec/className')], when: '.Values.c', expression: '.Values.c | toJson' },
  ]);
  expect(templates[0]?.text).toContain('{{- if .Values.c }}\n  className: {{ .Values.c | toJson }}\n{{- end }}\n');
});

test('the namespace is quoted where it stands alone, and plain inside of a text', () => {
  const [template] = run([]).templates;
  expect(template?.text).toContain('namespace: {{ .Release.Namespace | toJson }}\n');
  expect(template?.text).toContain('value: http://x.{{ .Release.Namespace }}.svc\n');
});

test('braces of the manifests themselves stay what they are', () => {
  const { templates } = run([], { ...deployment, metadata: { ...deployment.metadata, name: 'a{{b}}' } });
  expect(templates[0]?.text).toContain('a{{ "{{" }}b{{ "}}" }}');
});

test.each([
  ['of an object that is not there', field('/spec/replicas', 'Deployment/wbe'), undefined, 'no such object'],
  ['of a field that is not there', field('/spec/replica'), undefined, 'expected a value there'],
  ['of a field below one that is not there', field('/spec/a/b'), undefined, 'expected a value there'],
  ['of an optional field that is there already', field('/spec/replicas'), 'true', 'expected nothing there'],
])('a binding %s is an error', (_case, where, when, message) => {
  expect(() => run([{ fields: [where], expression: 'x', ...(when === undefined ? {} : { when }) }])).toThrow(message);
});
