import { readFile, writeFile } from 'node:fs/promises';
import { addresses, clusterName, kubeconfigPath, pkiDir, stateDir } from './layout.ts';

/** Who gets a kubeconfig, named as their certificate is. */
export const kubeconfigUsers = [
  'admin',
  'controller-manager',
  'scheduler',
  'proxy',
  'kubelet',
  'local-volumes',
  'cilium',
] as const;

/** The path of a user's kubeconfig. */
export function kubeconfigOf(user: (typeof kubeconfigUsers)[number]): string {
  return user === 'admin' ? kubeconfigPath : `${stateDir}/${user}.kubeconfig`;
}

const base64 = async (file: string): Promise<string> => (await readFile(`${pkiDir}/${file}`)).toString('base64');

/** Writes the kubeconfigs, with certificates inside, from what `writePki` made. */
export async function writeKubeconfigs(): Promise<void> {
  const authority = await base64('ca.crt');
  for (const user of kubeconfigUsers) {
    const content = {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [
        {
          name: clusterName,
          cluster: { server: `https://${addresses.node}:6443`, 'certificate-authority-data': authority },
        },
      ],
      users: [
        {
          name: user,
          user: {
            'client-certificate-data': await base64(`${user}.crt`),
            'client-key-data': await base64(`${user}.key`),
          },
        },
      ],
      contexts: [{ name: clusterName, context: { cluster: clusterName, user } }],
      'current-context': clusterName,
    };
    // JSON is YAML, and every reader of kubeconfigs takes it.
    await writeFile(kubeconfigOf(user), JSON.stringify(content, null, 2), { mode: 0o600 });
  }
}
