import type { AgentRun, SympoziumInstance } from '../../lib/api/v1alpha1/index.ts';
import type { Rules } from '../../lib/policy/effective.ts';
import { messageOf } from '../errors.ts';
import { GatewayError } from './failure.ts';

/** All that the gateway asks of Kubernetes. `undefined` is "there is none"; anything else that goes wrong throws. */
export interface ClusterReader {
  /** User name behind a token that is valid for the audience. */
  reviewToken(token: string, audience: string): Promise<string | undefined>;
  run(namespace: string, name: string): Promise<AgentRun | undefined>;
  /** The instance as it is now. */
  instance(namespace: string, name: string): Promise<SympoziumInstance | undefined>;
  /** The policies that govern an instance of `namespace` which names this one, as they are now. */
  rules(namespace: string, policy?: string): Promise<Rules | undefined>;
  /** Sentence for a policy that isn't there. */
  noPolicy(namespace: string, policy?: string): string;
  /** `data` of a Secret: values are base64. */
  secret(namespace: string, name: string): Promise<Readonly<Record<string, string>> | undefined>;
}

/** Provider of an instance, as its spec says. */
export type ProviderSpec = SympoziumInstance['spec']['provider'];

/**
 * What Kubernetes answers.
 *
 * @param what what the gateway wants of it, to complete "the gateway could not …"
 * @throws GatewayError 503 when it does not answer
 */
export async function ask<T>(what: string, question: () => Promise<T>): Promise<T> {
  try {
    return await question();
  } catch (cause) {
    throw new GatewayError(`the gateway could not ${what}: ${messageOf(cause)}`, {
      status: 503,
      code: 'kubernetes_unavailable',
      retry: true,
      cause,
    });
  }
}
