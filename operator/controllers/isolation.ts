import { isDeepStrictEqual } from 'node:util';
import { runNetworkPolicies, type NetworkOptions, type NetworkPolicy } from '../../lib/policy/network.ts';
import { keyOf, type KubeApi } from '../kube/port.ts';
import type { Cache } from '../kube/reflector.ts';
import { NETWORK_POLICIES } from '../kube/resources.ts';

/** Keeps the NetworkPolicies of the namespaces that have an instance. */
export class Isolation {
  readonly #kube: Pick<KubeApi, 'apply'>;
  readonly #known: Cache<NetworkPolicy>;
  readonly #options: NetworkOptions;

  constructor(kube: Pick<KubeApi, 'apply'>, known: Cache<NetworkPolicy>, options: NetworkOptions) {
    this.#kube = kube;
    this.#known = known;
    this.#options = options;
  }

  /** Makes the policies of a namespace as they should be; writes nothing when they are. */
  async ensure(namespace: string): Promise<void> {
    const wrong = runNetworkPolicies(namespace, this.#options).filter(
      (policy) => !isDeepStrictEqual(this.#known.get(keyOf(policy))?.spec, policy.spec),
    );
    await Promise.all(wrong.map((policy) => this.#kube.apply(NETWORK_POLICIES, policy)));
  }
}
