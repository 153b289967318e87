import { DEFAULT_POLICY } from '../../lib/api/group.ts';
import type { SympoziumInstance } from '../../lib/api/v1alpha1/instance.ts';
import type { SympoziumPolicy } from '../../lib/api/v1alpha1/policy.ts';
import { selects } from '../../lib/policy/selector.ts';
import type { Rules } from '../../lib/policy/effective.ts';
import { keyFor, type KubeApi, type KubeObject, type Resource } from './port.ts';
import type { Cache } from './reflector.ts';
import { INSTANCES, NAMESPACES, POLICIES, type Namespace } from './resources.ts';

/** The local copies that are asked first. */
export interface LookupCaches {
  readonly instances: Cache<SympoziumInstance>;
  readonly policies: Cache<SympoziumPolicy>;
  readonly namespaces: Cache<Namespace>;
}

/** Finds instances and policies: in the local copy, and on a miss in the cluster, because a copy lags behind. */
export class Lookup {
  readonly #kube: Pick<KubeApi, 'get'>;
  readonly #instances: Cache<SympoziumInstance>;
  readonly #policies: Cache<SympoziumPolicy>;
  readonly #namespaces: Cache<Namespace>;
  readonly #systemNamespace: string;

  constructor(kube: Pick<KubeApi, 'get'>, caches: LookupCaches, systemNamespace: string) {
    this.#kube = kube;
    this.#instances = caches.instances;
    this.#policies = caches.policies;
    this.#namespaces = caches.namespaces;
    this.#systemNamespace = systemNamespace;
  }

  get systemNamespace(): string {
    return this.#systemNamespace;
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

  /** All that governs an instance of `namespace` which names this policy; `undefined` when there is no such policy. */
  async rules(namespace: string, name?: string): Promise<Rules | undefined> {
    const own = await this.policy(namespace, name);
    return own === undefined ? undefined : { own, floors: await this.floors(namespace) };
  }

  /** The policies that the administrator imposes on a namespace, by name: only the system namespace has such. */
  async floors(namespace: string): Promise<readonly SympoziumPolicy[]> {
    const imposed = this.#policies
      .list()
      .filter(({ metadata, spec }) => metadata.namespace === this.#systemNamespace && spec.enforce !== undefined);
    if (imposed.length === 0) return [];
    const there = await this.#namespace(namespace);
    return imposed
      .filter(
        ({ spec }) => spec.enforce !== undefined && selects(spec.enforce.namespaceSelector, there?.metadata.labels),
      )
      .sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
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

  async #namespace(name: string): Promise<Namespace | undefined> {
    return this.#namespaces.get(keyFor(undefined, name)) ?? (await this.#kube.get(NAMESPACES, { name }));
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
