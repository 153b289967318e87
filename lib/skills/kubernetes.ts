import { text, type PackRule, type PackSpec, type Parameter } from './pack.ts';

/** The namespace that a tool looks into. */
export const namespace: Parameter = text(
  'Namespace to look into. The skill is configured for some; others are refused.',
  {
    pattern: '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$',
    maxLength: 63,
  },
);

/** Name of an object. */
export const objectName = (description: string): Parameter => text(description, { pattern: '^[a-z0-9][-a-z0-9.]*$' });

/** Label selector. */
export const selector: Parameter = text('Label selector, for example app=web,tier!=cache.', { maxLength: 500 });

/** A container of a Pod. */
export const container = objectName('Container of the Pod. Left out: its default, or only, container.');

/** Rights to look at resources. */
export const read = (apiGroup: string, ...resources: readonly string[]): PackRule => ({
  apiGroups: [apiGroup],
  resources: [...resources],
  verbs: ['get', 'list', 'watch'],
});

/** Rights to do `verbs` to resources. */
export const may = (verbs: readonly string[], apiGroup: string, ...resources: readonly string[]): PackRule => ({
  apiGroups: [apiGroup],
  resources: [...resources],
  verbs: [...verbs],
});

/** The namespace itself: in a Role, `namespaces` means the one that the Role is in. */
export const OWN_NAMESPACE = may(['get'], '', 'namespaces');

/** CPU and memory of Pods, where the cluster measures them. */
export const POD_METRICS = may(['get', 'list'], 'metrics.k8s.io', 'pods');

/** The sidecar of a pack whose tools call kubectl. kubectl keeps what it finds out about the API server below HOME. */
export const kubectlSidecar = (
  image: string,
  env: readonly { readonly name: string; readonly value: string }[] = [],
): PackSpec['sidecar'] => ({
  image,
  env: [{ name: 'HOME', value: '/tmp' }, ...env],
  resources: { requests: { cpu: '20m', memory: '96Mi' }, limits: { memory: '512Mi' } },
});
