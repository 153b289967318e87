import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { Cluster } from '../../platform/kubectl.ts';
import type { ApiServer } from '../../support/api-server.ts';

interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: Record<string, unknown> & { readonly name: string };
  readonly status?: object;
  readonly involvedObject?: { readonly name: string };
}

/** Namespace of the shop. */
export const SHOP = 'shop';

/** kubectl as the administrator of the tests' API server. */
export const adminOf = (server: ApiServer): Cluster => {
  const bin = process.env.CLUSTER_BIN;
  return new Cluster({ kubeconfig: server.kubeconfig, ...(bin === undefined ? {} : { bin }) });
};

/** Fills the namespace `shop` with an incident. */
export async function openShop(server: ApiServer): Promise<void> {
  const admin = adminOf(server);
  await server.namespace(SHOP);
  const manifests = parseAllDocuments(readFileSync(join(import.meta.dirname, 'shop.yaml'), 'utf8')).map(
    (document) => document.toJS() as Manifest,
  );
  for (const manifest of manifests) {
    const { kind, metadata, status } = manifest;
    const { involvedObject, ...others } = manifest;
    const object = {
      ...others,
      metadata: kind === 'ReplicaSet' ? { ...metadata, ownerReferences: [await deployment(admin)] } : metadata,
      ...(involvedObject && {
        involvedObject: { ...involvedObject, uid: await uidOf(admin, 'pod', involvedObject.name) },
      }),
    };
    await admin.kubectl(['-n', SHOP, 'create', '-f', '-'], JSON.stringify(object));
    if (status === undefined) continue;
    const patch = ['--subresource=status', '--type=merge', '--patch', JSON.stringify({ status })];
    await admin.kubectl(['-n', SHOP, 'patch', kind.toLowerCase(), metadata.name, ...patch]);
  }
}

/** What the owner reference of a ReplicaSet of `web` says. */
async function deployment(admin: Cluster): Promise<object> {
  const uid = await uidOf(admin, 'deployment', 'web');
  return { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web', uid, controller: true };
}

async function uidOf(admin: Cluster, kind: string, name: string): Promise<string> {
  return (await admin.get<{ metadata: { uid: string } }>(kind, name, '-n', SHOP)).metadata.uid;
}
