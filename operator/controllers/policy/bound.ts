import { DEFAULT_POLICY } from '../../../lib/api/group.ts';
import type { SympoziumInstance } from '../../../lib/api/v1alpha1/instance.ts';
import type { SympoziumPolicy } from '../../../lib/api/v1alpha1/policy.ts';
import { selects } from '../../../lib/policy/selector.ts';
import { keyFor } from '../../kube/port.ts';
import type { Cache } from '../../kube/reflector.ts';
import type { Namespace } from '../../kube/resources.ts';

/** What is asked to find out whom a policy governs. */
export interface BoundFacts {
  readonly instances: Pick<Cache<SympoziumInstance>, 'list'>;
  readonly policies: Pick<Cache<SympoziumPolicy>, 'get'>;
  readonly namespaces: Pick<Cache<Namespace>, 'get'>;
  readonly systemNamespace: string;
}

/** How many instances a policy governs: those that name it, and those in the namespaces that it is a floor of. */
export function boundInstances({ metadata, spec }: SympoziumPolicy, facts: BoundFacts): number {
  const { instances, policies, namespaces, systemNamespace } = facts;
  const central = metadata.namespace === systemNamespace;
  const names = (instance: SympoziumInstance) => (instance.spec.policy ?? DEFAULT_POLICY) === metadata.name;
  const isFloorOf = (namespace: string) =>
    central &&
    spec.enforce !== undefined &&
    selects(spec.enforce.namespaceSelector, namespaces.get(keyFor(undefined, namespace))?.metadata.labels);
  /** A policy of the system namespace is found only where the instance's own has none of that name. */
  const isFoundIn = (namespace: string) =>
    metadata.namespace === namespace || (central && policies.get(keyFor(namespace, metadata.name)) === undefined);
  return instances.list().filter((instance) => {
    const { namespace = '' } = instance.metadata;
    return (names(instance) && isFoundIn(namespace)) || isFloorOf(namespace);
  }).length;
}
