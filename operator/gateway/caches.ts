import type { SympoziumInstance } from '../../lib/api/v1alpha1/index.ts';
import { Lookup } from '../kube/lookup.ts';
import type { KubeApi } from '../kube/port.ts';
import { reflect, type CacheOptions } from '../kube/reflect.ts';
import { INSTANCES, NAMESPACES, POLICIES } from '../kube/resources.ts';
import { trimObject, trimToMetadata } from '../kube/trim.ts';

/** The local copies by which the gateway knows at each call what holds now. */
export class GatewayCaches {
  readonly instances;
  readonly policies;
  readonly namespaces;

  constructor(options: CacheOptions) {
    this.instances = reflect(INSTANCES, options, { trim: trimInstance });
    this.policies = reflect(POLICIES, options);
    this.namespaces = reflect(NAMESPACES, options, { trim: trimToMetadata });
  }

  /** What has not been listed yet, or `undefined` when every copy is complete. */
  get missing(): string | undefined {
    const { instances, policies, namespaces } = this;
    const names = Object.entries({ instances, policies, namespaces }).flatMap(([name, { synced }]) =>
      synced ? [] : [name],
    );
    return names.length === 0 ? undefined : `not listed yet: ${names.join(', ')}`;
  }

  /** Keeps all copies up to date until the signal. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([this.instances, this.policies, this.namespaces].map((cache) => cache.run(signal)));
  }
}

/**
 * Finds instances and policies, by the copies and on a miss in the cluster. The labels of a namespace that no copy has yet
 * are unknown, and so is which policies are imposed on it: then the look-up fails, and the caller comes again.
 */
export const lookupIn = (kube: Pick<KubeApi, 'get'>, caches: GatewayCaches, systemNamespace: string): Lookup =>
  new Lookup(
    {
      get: (resource, name) =>
        resource.kind === NAMESPACES.kind
          ? Promise.reject(new Error(`namespace '${name.name}' is not known yet`))
          : kube.get(resource, name),
    },
    caches,
    systemNamespace,
  );

/** Without the prompt, which may be long and which only the agent reads. */
function trimInstance(instance: SympoziumInstance): SympoziumInstance {
  const trimmed = trimObject(instance);
  const { systemPrompt: _, ...spec } = trimmed.spec;
  return { ...trimmed, spec };
}
