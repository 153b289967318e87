import type { OwnerReference } from '../../lib/api/metadata.ts';
import type { Connection } from './config.ts';

/** What a Kubernetes token says of whom it is for. */
interface Claims {
  readonly 'kubernetes.io'?: { readonly serviceaccount?: { readonly name: string; readonly uid: string } };
}

/**
 * The ServiceAccount that the process runs as, as the owner of what it makes for itself: who uninstalls the control plane
 * deletes the ServiceAccount, and the cluster what it owned. The process's own token names it, so it takes no
 * right to ask. `undefined` outside of a cluster.
 */
export async function ownAccount({ headers }: Pick<Connection, 'headers'>): Promise<OwnerReference | undefined> {
  const { authorization = '' } = await headers();
  const payload = /^Bearer [^.]+\.([^.]+)\./.exec(authorization)?.[1];
  if (payload === undefined) return undefined;
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')) as Claims;
  const account = claims['kubernetes.io']?.serviceaccount;
  return account === undefined ? undefined : { apiVersion: 'v1', kind: 'ServiceAccount', ...account };
}

/** The part of an object's metadata that names its owner, if it has one. */
export const ownedBy = (owner: OwnerReference | undefined): { readonly ownerReferences?: readonly OwnerReference[] } =>
  owner === undefined ? {} : { ownerReferences: [owner] };
