import { isKubeError } from '../../kube/errors.ts';
import { keyFor, keyOf, type KubeApi } from '../../kube/port.ts';
import { POLICIES } from '../../kube/resources.ts';
import type { Log } from '../../log.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { ControllerOptions, Result } from '../../runtime/controller.ts';
import { WorkQueue } from '../../runtime/work-queue.ts';
import type { Caches } from '../caches.ts';
import { conditionsStatus } from '../conditions.ts';
import { boundInstances } from './bound.ts';
import { observe } from './observe.ts';

/** All that the reconciliation of policies works with. */
export interface PolicyContext {
  readonly kube: Pick<KubeApi, 'applyStatus'>;
  readonly caches: Pick<Caches, 'policies' | 'instances' | 'namespaces' | 'runtimeClasses'>;
  readonly systemNamespace: string;
  readonly clock: Clock;
}

/** Says of a policy whether it can be obeyed, and whom it governs. */
export async function reconcilePolicy(context: PolicyContext, key: string): Promise<Result> {
  const { kube, caches, systemNamespace, clock } = context;
  const policy = caches.policies.get(key);
  if (policy === undefined || policy.metadata.deletionTimestamp !== undefined) return {};
  const count = boundInstances(policy, { ...caches, systemNamespace });
  const observations = observe(policy, {
    boundInstances: count,
    runtimeClassExists: (name) => caches.runtimeClasses.get(keyFor(undefined, name)) !== undefined,
  });
  const status = conditionsStatus(policy, observations, clock.date());
  if (status === undefined) return {};
  const { apiVersion, kind, metadata } = policy;
  const { name, namespace, resourceVersion } = metadata;
  try {
    const written = await kube.applyStatus(POLICIES, {
      apiVersion,
      kind,
      metadata: { name, ...(namespace && { namespace }), ...(resourceVersion && { resourceVersion }) },
      status: { ...status, boundInstances: count },
    });
    caches.policies.observe(written);
    return {};
  } catch (error) {
    if (isKubeError(error, 'Conflict', 'NotFound')) return { requeueAfterMs: 200 }; // it has changed meanwhile
    throw error;
  }
}

/** The controller of policies. What changes anywhere may concern any of them, and looking costs no request. */
export function policyController(context: PolicyContext, log: Log): ControllerOptions {
  const { policies, instances, namespaces, runtimeClasses } = context.caches;
  const queue = new WorkQueue(context.clock, POLICIES.kind);
  const addAll = () => {
    for (const policy of policies.list()) queue.add(keyOf(policy));
  };
  policies.onChange(addAll);
  instances.onChange(addAll);
  namespaces.onChange(addAll);
  runtimeClasses.onChange(addAll);
  addAll();
  return { name: POLICIES.kind, queue, reconcile: (key) => reconcilePolicy(context, key), workers: 1, log };
}
