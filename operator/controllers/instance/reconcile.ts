import type { SympoziumInstance } from '../../../lib/api/v1alpha1/instance.ts';
import { messageOf } from '../../errors.ts';
import { isKubeError } from '../../kube/errors.ts';
import type { Events } from '../../kube/events.ts';
import type { Lookup } from '../../kube/lookup.ts';
import type { KubeApi } from '../../kube/port.ts';
import type { Reflector } from '../../kube/reflector.ts';
import { INSTANCES } from '../../kube/resources.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Result } from '../../runtime/controller.ts';
import { conditionsStatus, withoutEffect } from '../conditions.ts';
import type { CheckInstance, Readiness } from '../gateway-client.ts';
import type { Isolation } from '../isolation.ts';
import { changed, readyCondition } from './readiness.ts';

/** All that the reconciliation of instances works with. */
export interface InstanceContext {
  readonly kube: KubeApi;
  readonly instances: Pick<Reflector<SympoziumInstance>, 'get' | 'observe'>;
  readonly lookup: Lookup;
  readonly check: CheckInstance;
  readonly isolation: Isolation;
  readonly events: Events;
  readonly clock: Clock;
}

const WHEN_READY: Result = { requeueAfterMs: 600_000 };
const WHEN_NOT: Result = { requeueAfterMs: 30_000 };
/** The gateway starts with us; it needn't be waited for long. */
const WHEN_UNKNOWN: Result = { requeueAfterMs: 5_000 };

/** Isolates the namespace of an instance, and says whether the instance can be run. */
export async function reconcileInstance(context: InstanceContext, key: string): Promise<Result> {
  const { kube, instances, lookup, isolation, events, clock } = context;
  const instance = instances.get(key);
  if (instance === undefined || instance.metadata.deletionTimestamp !== undefined) return {};
  const { name, namespace = 'default', resourceVersion = '' } = instance.metadata;
  await isolation.ensure(namespace);

  const policy = await lookup.policy(namespace, instance.spec.policy);
  const condition = readyCondition({
    policyMissing: policy === undefined ? lookup.noPolicy(namespace, instance.spec.policy) : undefined,
    provider: await ask(context, namespace, name),
  });
  const next = condition.status === 'True' ? WHEN_READY : condition.status === 'False' ? WHEN_NOT : WHEN_UNKNOWN;
  const status = conditionsStatus(instance, [condition, ...withoutEffect(instance)], clock.date());
  if (status === undefined) return next;
  try {
    const { apiVersion, kind } = instance;
    instances.observe(
      await kube.applyStatus(INSTANCES, { apiVersion, kind, metadata: { name, namespace, resourceVersion }, status }),
    );
  } catch (error) {
    if (isKubeError(error, 'Conflict', 'NotFound')) return { requeueAfterMs: 200 }; // it has changed meanwhile
    throw error;
  }
  if (changed(instance, condition) && condition.status !== 'Unknown') {
    const type = condition.status === 'True' ? 'Normal' : 'Warning';
    const reason = condition.status === 'True' ? 'Ready' : condition.reason;
    await events.record(instance, { type, reason, message: condition.message, occasion: resourceVersion });
  }
  return next;
}

async function ask(
  { check }: InstanceContext,
  namespace: string,
  name: string,
): Promise<Readiness | { unknown: string }> {
  try {
    return await check(namespace, name);
  } catch (error) {
    return { unknown: `the gateway can't be asked whether the credentials are there: ${messageOf(error)}` };
  }
}
