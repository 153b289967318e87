import { setCondition, type Condition } from '../../lib/api/conditions.ts';
import { isStoredOnly, pendingFields } from '../../lib/api/v1alpha1/pending.ts';
import type { KubeObject } from '../kube/port.ts';

/** What a controller has to say of an object. */
export type Observation = Omit<Condition, 'lastTransitionTime' | 'observedGeneration'>;

/** An object with nothing but conditions in its status. */
export type Conditioned = KubeObject & {
  readonly spec: object;
  readonly status?: { readonly observedGeneration?: number | undefined; readonly conditions?: Condition[] | undefined };
};

/** The status that says just these observations, or `undefined` when the object says so already. */
export function conditionsStatus(
  { metadata, status }: Conditioned,
  observations: readonly Observation[],
  now: Date,
): { observedGeneration: number; conditions: Condition[] } | undefined {
  const observedGeneration = metadata.generation ?? 0;
  const before = status?.conditions ?? [];
  const wanted = before.filter(({ type }) => observations.some((observation) => observation.type === type));
  const start: readonly Condition[] = wanted.length === before.length ? before : wanted;
  const conditions = observations.reduce(
    (found, observation) => setCondition(found, { ...observation, observedGeneration }, now),
    start,
  );
  if (conditions === before && status?.observedGeneration === observedGeneration) return undefined;
  return { observedGeneration, conditions: [...conditions] };
}

/** Says of an object which of the fields that it sets nothing acts on yet; nothing when there are none. */
export function withoutEffect({ kind, spec }: Pick<Conditioned, 'kind' | 'spec'>): Observation[] {
  const fields = pendingFields(kind, spec);
  if (fields.length === 0) return [];
  const message = `this version stores these fields and does not act on them yet: ${fields.join(', ')}`;
  return [{ type: 'FullyEffective', status: 'False', reason: 'FieldsWithoutEffect', message }];
}

/** What there is to say of an object that needs nothing but to be stored and read. */
export function acceptance(object: Conditioned): Observation[] {
  if (!isStoredOnly(object.kind)) {
    return [{ type: 'Ready', status: 'True', reason: 'Accepted', message: 'in force' }, ...withoutEffect(object)];
  }
  const reason = 'NotSupported';
  const message = `this version stores a ${object.kind} and does not act on it yet`;
  return [
    { type: 'Ready', status: 'False', reason, message },
    // Waiting does not help: tools that wait for objects to become ready give up at once.
    { type: 'Stalled', status: 'True', reason, message },
  ];
}
