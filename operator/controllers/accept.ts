import { isKubeError } from '../kube/errors.ts';
import { keyOf, type KubeApi, type KubeObject, type Resource, type StatusOf } from '../kube/port.ts';
import type { Reflector } from '../kube/reflector.ts';
import type { Log } from '../log.ts';
import type { Clock } from '../runtime/clock.ts';
import type { ControllerOptions, Result } from '../runtime/controller.ts';
import { WorkQueue } from '../runtime/work-queue.ts';
import { acceptance, conditionsStatus, type Conditioned } from './conditions.ts';

/** What the reconciliation of a kind that needs nothing but conditions works with. */
export interface AcceptContext<T extends Conditioned> {
  readonly kube: Pick<KubeApi, 'applyStatus'>;
  readonly resource: Resource<T>;
  readonly objects: Pick<Reflector<T>, 'get' | 'observe'>;
  readonly clock: Clock;
}

/** Writes into an object's conditions what becomes of it. */
export async function acceptObject<T extends Conditioned>(
  { kube, resource, objects, clock }: AcceptContext<T>,
  key: string,
): Promise<Result> {
  const object = objects.get(key);
  if (object === undefined || object.metadata.deletionTimestamp !== undefined) return {};
  const status = conditionsStatus(object, acceptance(object), clock.date());
  if (status === undefined) return {};
  const { apiVersion, kind, metadata } = object;
  const { name, namespace, resourceVersion } = metadata;
  const write = { apiVersion, kind, metadata: { name, namespace, resourceVersion }, status } as unknown as StatusOf<T>;
  try {
    objects.observe(await kube.applyStatus(resource, write));
    return {};
  } catch (error) {
    if (isKubeError(error, 'Conflict', 'NotFound')) return { requeueAfterMs: 200 }; // it has changed meanwhile
    throw error;
  }
}

/** The controller of a kind that needs nothing but conditions: what there is, and what changes, is looked at. */
export function acceptController<T extends Conditioned>(
  resource: Resource<T>,
  objects: Reflector<T>,
  { kube, clock, log }: Pick<AcceptContext<T>, 'kube' | 'clock'> & { readonly log: Log },
): ControllerOptions {
  const queue = new WorkQueue(clock, resource.kind);
  const add = (object: KubeObject) => {
    queue.add(keyOf(object));
  };
  objects.onChange(add);
  objects.list().forEach(add);
  return {
    name: resource.kind,
    queue,
    reconcile: (key) => acceptObject({ kube, resource, objects, clock }, key),
    workers: 1,
    log,
  };
}
