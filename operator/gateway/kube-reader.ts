import type { KubeApi, KubeObject, Resource } from '../kube/port.ts';
import { API_VERSION } from '../../lib/api/group.ts';
import { agentRun, sympoziumInstance, type AgentRun, type SympoziumInstance } from '../../lib/api/v1alpha1/index.ts';
import type { ClusterReader } from './cluster.ts';

interface Secret extends KubeObject {
  readonly data?: Readonly<Record<string, string>>;
}

interface TokenReview extends KubeObject {
  readonly spec: { readonly token: string; readonly audiences: readonly string[] };
  readonly status?: {
    readonly authenticated?: boolean;
    readonly audiences?: readonly string[];
    readonly user?: { readonly username?: string };
  };
}

const RUNS: Resource<AgentRun> = { apiVersion: API_VERSION, kind: agentRun.kind, plural: agentRun.plural };
const INSTANCES: Resource<SympoziumInstance> = {
  apiVersion: API_VERSION,
  kind: sympoziumInstance.kind,
  plural: sympoziumInstance.plural,
};
const SECRETS: Resource<Secret> = { apiVersion: 'v1', kind: 'Secret', plural: 'secrets' };
const TOKEN_REVIEWS: Resource<TokenReview> = {
  apiVersion: 'authentication.k8s.io/v1',
  kind: 'TokenReview',
  plural: 'tokenreviews',
};

/** What the gateway reads, from a real cluster. */
export function kubeReader(kube: Pick<KubeApi, 'get' | 'create'>): ClusterReader {
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
    run: (namespace, name) => kube.get(RUNS, { namespace, name }),
    instance: (namespace, name) => kube.get(INSTANCES, { namespace, name }),
    async secret(namespace, name) {
      const secret = await kube.get(SECRETS, { namespace, name });
      return secret === undefined ? undefined : (secret.data ?? {});
    },
  };
}
