import type { SympoziumPolicy } from '../api/v1alpha1/policy.ts';

/** A label selector, as Kubernetes defines it. Empty, it selects everything. */
export type LabelSelector = NonNullable<SympoziumPolicy['spec']['enforce']>['namespaceSelector'];

/** Whether labels meet every condition of a selector. */
export function selects(
  { matchLabels = {}, matchExpressions = [] }: LabelSelector,
  labels: Readonly<Record<string, string>> = {},
): boolean {
  const value = (key: string) => (Object.hasOwn(labels, key) ? labels[key] : undefined);
  return (
    Object.entries(matchLabels).every(([key, wanted]) => value(key) === wanted) &&
    matchExpressions.every(({ key, operator, values = [] }) => {
      const is = value(key);
      switch (operator) {
        case 'In':
          return is !== undefined && values.includes(is);
        case 'NotIn':
          return is === undefined || !values.includes(is);
        case 'Exists':
          return is !== undefined;
        case 'DoesNotExist':
          return is === undefined;
      }
    })
  );
}
