import { z } from 'zod';

const STATUSES = ['True', 'False', 'Unknown'] as const;

/** One entry of `status.conditions`, as `metav1.Condition` defines it. */
export const conditionSchema = z.object({
  type: z.string().min(1).max(316).describe('What the condition is about, in CamelCase.'),
  status: z.enum(STATUSES).describe('Whether it holds.'),
  observedGeneration: z.int().min(0).optional().describe('Generation of the spec that was looked at.'),
  lastTransitionTime: z.iso.datetime().describe('When the status last changed.'),
  reason: z.string().min(1).max(1024).describe('Why, in one CamelCase word.'),
  message: z.string().max(32768).describe('Why, in one sentence for people.'),
});

/** `status.conditions`: keyed by type, so that several writers can own one condition each. */
export const conditionsSchema = z
  .array(conditionSchema)
  .max(16)
  .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['type'] })
  .describe('Latest observations of the state.');

export type Condition = z.infer<typeof conditionSchema>;
export type ConditionStatus = (typeof STATUSES)[number];

/**
 * Returns `conditions` with `next` set. `lastTransitionTime` moves to `now` only when the status changes; the same
 * array comes back when nothing changes, so that callers can skip a write.
 */
export function setCondition(
  conditions: readonly Condition[],
  next: Omit<Condition, 'lastTransitionTime'>,
  now: Date,
): readonly Condition[] {
  const previous = conditions.find(({ type }) => type === next.type);
  if (
    previous?.status === next.status &&
    previous.reason === next.reason &&
    previous.message === next.message &&
    previous.observedGeneration === next.observedGeneration
  ) {
    return conditions;
  }
  const lastTransitionTime =
    previous?.status === next.status ? previous.lastTransitionTime : now.toISOString().replace(/\.\d+Z$/, 'Z');
  return [...conditions.filter(({ type }) => type !== next.type), { ...next, lastTransitionTime }];
}

/** The condition of one type, if it was ever set. */
export const findCondition = (conditions: readonly Condition[] | undefined, type: string): Condition | undefined =>
  conditions?.find((condition) => condition.type === type);
