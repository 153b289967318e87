import { DEFAULT_POLICY } from '../../lib/api/group.ts';
import type { SympoziumInstance } from '../../lib/api/v1alpha1/instance.ts';
import type { SympoziumPolicy } from '../../lib/api/v1alpha1/policy.ts';
import { keyFor, type KubeApi, type KubeObject, type Resource } from './port.ts';
import type { Cache } from './reflector.ts';
import { INSTANCES, POLICIES } from './resources.ts';

/** Finds instances and policies: in the local copy, and on a miss in the cluster, because a copy lags behind. */
export class Lookup {
  readonly #kube: Pick<KubeApi, 'get'>;
  readonly #instances: Cache<SympoziumInstance>;
  readonly #policies: Cache<SympoziumPolicy>;
  readonly #systemNamespace: string;

  constructor(
    kube: Pick<KubeApi, 'get'>,
    caches: { readonly instances: Cache<SympoziumInstance>; readonly policies: Cache<SympoziumPolicy> },
    systemNamespace: string,
  ) {
    this.#kube = kube;
    this.#instances = caches.instances;
    this.#policies = caches.policies;
    this.#systemNamespace = systemNamespace;
  }

  instance(namespace: string, name: string): Promise<SympoziumInstance | undefined> {
    return this.#find(INSTANCES, this.#instances, namespace, name);
  }

  /** The policy an instance names, or the default one: of its own namespace, else of the system namespace. */
  async policy(namespace: string, name: string = DEFAULT_POLICY): Promise<SympoziumPolicy | undefined> {
    return (
      this.#policies.get(keyFor(namespace, name)) ??
      // The copy of the system namespace is asked before the cluster: most policies are there, and rarely change.
      this.#policies.get(keyFor(this.#systemNamespace, name)) ??
      (await this.#kube.get(POLICIES, { namespace, name })) ??
      (await this.#kube.get(POLICIES, { namespace: this.#systemNamespace, name }))
    );
  }

  /** Names of the policies that an instance of `namespace` may name. */
  policyNames(namespace: string): string[] {
    const usable = this.#policies
      .list()
      .filter(({ metadata }) => metadata.namespace === namespace || metadata.namespace === this.#systemNamespace);
    return [...new Set(usable.map(({ metadata }) => metadata.name))].sort();
  }

  /** Sentence for a policy that isn't there. */
  noPolicy(namespace: string, name: string = DEFAULT_POLICY): string {
    const names = this.policyNames(namespace);
    const known = names.length === 0 ? 'there are none' : `there are ${names.map((known) => `'${known}'`).join(', ')}`;
    return `SympoziumPolicy '${name}' is neither in namespace '${namespace}' nor in '${this.#systemNamespace}': create it, or name another one (${known})`;
  }

  async #find<T extends KubeObject>(
    resource: Resource<T>,
    cache: Cache<T>,
    namespace: string,
    name: string,
  ): Promise<T | undefined> {
    return cache.get(keyFor(namespace, name)) ?? (await this.#kube.get(resource, { namespace, name }));
  }
}
