import type { SympoziumInstance } from '../../../lib/api/v1alpha1/instance.ts';
import { WEB_ENDPOINT } from '../../../lib/api/group.ts';
import { decideSkill, type Verdict } from '../../../lib/policy/decide.ts';
import { effectivePolicy, type Rules } from '../../../lib/policy/effective.ts';
import { violations } from '../../../lib/policy/violations.ts';
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
import type { Endpoints } from '../endpoint/endpoints.ts';
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
  readonly endpoints: Pick<Endpoints, 'ensure'>;
  readonly events: Events;
  readonly clock: Clock;
}

/** By whether it is ready. The gateway, without which nobody knows, starts with us and needn't be waited for long. */
const LOOK_AGAIN_MS = { True: 600_000, False: 30_000, Unknown: 5_000 } as const;

/** Isolates the namespace of an instance, and says whether the instance can be run. */
export async function reconcileInstance(context: InstanceContext, key: string): Promise<Result> {
  const { kube, instances, lookup, isolation, events, clock } = context;
  const instance = instances.get(key);
  if (instance === undefined || instance.metadata.deletionTimestamp !== undefined) return {};
  const { name, namespace = 'default', resourceVersion = '' } = instance.metadata;
  await isolation.ensure(namespace);

  const rules = await lookup.rules(namespace, instance.spec.policy);
  const noPolicy = rules === undefined ? lookup.noPolicy(namespace, instance.spec.policy) : undefined;
  const condition = readyCondition({
    policyMissing: noPolicy,
    forbidden: rules === undefined ? [] : violations(effectivePolicy(rules, instance), instance),
    provider: await ask(context, namespace, name),
  });
  const endpoint = await context.endpoints.ensure(instance, endpointAllowed(instance, rules, noPolicy));
  const next = { requeueAfterMs: Math.min(LOOK_AGAIN_MS[condition.status], endpoint.requeueAfterMs) };
  const status = conditionsStatus(
    instance,
    [condition, ...endpoint.observations, ...withoutEffect(instance)],
    clock.date(),
  );
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

/** Whether the policies let the instance be served over HTTP. */
const endpointAllowed = (
  instance: SympoziumInstance,
  rules: Rules | undefined,
  noPolicy: string | undefined,
): Verdict =>
  rules === undefined
    ? { allowed: false, because: noPolicy ?? 'no policy governs it' }
    : decideSkill(effectivePolicy(rules, instance), WEB_ENDPOINT);

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
