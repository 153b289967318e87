import type { Lookup } from '../kube/lookup.ts';
import type { KubeApi, KubeObject } from '../kube/port.ts';
import { AGENT_RUNS, SECRETS, TOKEN_REVIEWS } from '../kube/resources.ts';
import type { ClusterReader } from './cluster.ts';

/** What the gateway reads, from a real cluster. */
export function kubeReader(kube: Pick<KubeApi, 'get' | 'create'>, lookup: Lookup): ClusterReader {
  return {
    async reviewToken(token, audience) {
      const { status } = await kube.create(TOKEN_REVIEWS, {
        apiVersion: TOKEN_REVIEWS.apiVersion,
        kind: TOKEN_REVIEWS.kind,
        // A review is an answer, not an object: it has no name.
        metadata: {} as KubeObject['metadata'],
        spec: { token, audiences: [audience] },
      });
      // An authenticator that knows no audiences says so by naming none.
      return status?.authenticated === true && status.audiences?.includes(audience) === true
        ? status.user?.username
        : undefined;
    },
    run: (namespace, name) => kube.get(AGENT_RUNS, { namespace, name }),
    instance: (namespace, name) => lookup.instance(namespace, name),
    rules: (namespace, policy) => lookup.rules(namespace, policy),
    noPolicy: (namespace, policy) => lookup.noPolicy(namespace, policy),
    async secret(namespace, name) {
      const secret = await kube.get(SECRETS, { namespace, name });
      return secret === undefined ? undefined : (secret.data ?? {});
    },
  };
}
