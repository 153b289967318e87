import type { Cluster } from '../../platform/kubectl.ts';

/** All objects of the cluster that carry our label, as `kind/name`, sorted. */
export async function labelled(cluster: Cluster): Promise<string[]> {
  const kinds = (await cluster.kubectl(['api-resources', '--verbs=list', '--output=name'])).trim().split('\n');
  const found = await cluster.kubectl([
    ...['get', kinds.join(','), '--all-namespaces', '--ignore-not-found', '--output=name'],
    ...['--selector', 'app.kubernetes.io/name=sympozium'],
  ]);
  return [...new Set(found.trim().split('\n').filter(Boolean))].sort();
}

/** Objects of one kind in a namespace, as names, sorted. */
export async function names(cluster: Cluster, kind: string, ...scope: readonly string[]): Promise<string[]> {
  const found = await cluster.kubectl(['get', kind, ...scope, '--ignore-not-found', '--output=name']);
  return found.trim().split('\n').filter(Boolean).sort();
}
