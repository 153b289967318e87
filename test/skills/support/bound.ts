import { writeFileSync } from 'node:fs';
import type { KubeObject, Resource } from '../../../operator/kube/port.ts';
import type { ApiServer } from '../../support/api-server.ts';
import { packNamed } from './packs.ts';

const RBAC = 'rbac.authorization.k8s.io/v1';
const ACCOUNTS: Resource<KubeObject> = { apiVersion: 'v1', kind: 'ServiceAccount', plural: 'serviceaccounts' };
const ROLES: Resource<KubeObject> = { apiVersion: RBAC, kind: 'Role', plural: 'roles' };
const BINDINGS: Resource<KubeObject> = { apiVersion: RBAC, kind: 'RoleBinding', plural: 'rolebindings' };

/**
 * Gives a ServiceAccount exactly the rules of a pack, in one namespace.
 *
 * @returns its token
 */
export async function bindPack(server: ApiServer, pack: string, namespace: string): Promise<string> {
  const kube = server.client();
  const metadata = { name: pack, namespace };
  await kube.create(ACCOUNTS, { apiVersion: 'v1', kind: 'ServiceAccount', metadata });
  const rules = packNamed(pack).spec.rbac ?? [];
  await kube.create(ROLES, { apiVersion: RBAC, kind: 'Role', metadata, rules } as KubeObject);
  await kube.create(BINDINGS, {
    apiVersion: RBAC,
    kind: 'RoleBinding',
    metadata,
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: pack },
    subjects: [{ kind: 'ServiceAccount', name: pack, namespace }],
  } as KubeObject);
  kube.close();
  return server.token(namespace, pack);
}

/** Writes a kubeconfig for a token: what a sidecar finds in its projected volume. @returns its path */
export function kubeconfigFor(server: ApiServer, token: string, path: string, namespace: string): string {
  const cluster = { server: server.url, 'insecure-skip-tls-verify': true };
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'skill',
    clusters: [{ name: 'here', cluster }],
    contexts: [{ name: 'skill', context: { cluster: 'here', user: 'skill', namespace } }],
    users: [{ name: 'skill', user: { token } }],
  };
  writeFileSync(path, JSON.stringify(config), { mode: 0o600 });
  return path;
}
