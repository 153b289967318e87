import { LABELS } from '../../../lib/api/group.ts';
import { keyFor, type KubeObject } from '../../kube/port.ts';
import type { WorkQueue } from '../../runtime/work-queue.ts';
import type { Caches } from '../caches.ts';

/** Has the instance looked at whenever something of its web endpoint changes. */
export function feedEndpoints(caches: Caches, instances: Pick<WorkQueue, 'add'>): void {
  const addInstanceOf = ({ metadata }: KubeObject): void => {
    const instance = metadata.labels?.[LABELS.instance];
    if (instance !== undefined) instances.add(keyFor(metadata.namespace, instance));
  };
  const { endpointAccounts, endpointRoles, endpointBindings, endpointServices, endpointDeployments } = caches;
  for (const cache of [endpointAccounts, endpointRoles, endpointBindings, endpointServices, endpointDeployments]) {
    cache.onChange(addInstanceOf);
  }
}
