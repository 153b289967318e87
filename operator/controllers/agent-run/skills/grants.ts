import type { PolicyRule } from '../../../kube/resources.ts';

/**
 * What of `wanted` is not among `granted`, in words. The API server refuses to create a Role with more than its creator
 * has; this narrows that to what the administrator grants skills, because the creator has rights of its own as well.
 */
export const ungranted = (wanted: readonly PolicyRule[], granted: readonly PolicyRule[]): string[] => [
  ...new Set(wanted.flatMap(single).flatMap((one) => (granted.some((rule) => covers(rule, one)) ? [] : [show(one)]))),
];

interface Single {
  readonly group: string;
  readonly resource: string;
  readonly verb: string;
  /** Left out: every object. */
  readonly name?: string;
}

function single({ apiGroups = [], resources = [], verbs, resourceNames = [] }: PolicyRule): Single[] {
  const names = resourceNames.length === 0 ? [{}] : resourceNames.map((name) => ({ name }));
  return apiGroups.flatMap((group) =>
    resources.flatMap((resource) => verbs.flatMap((verb) => names.map((name) => ({ group, resource, verb, ...name })))),
  );
}

function covers({ apiGroups = [], resources = [], verbs, resourceNames = [] }: PolicyRule, one: Single): boolean {
  const has = (list: readonly string[], item: string): boolean => list.includes('*') || list.includes(item);
  return (
    has(apiGroups, one.group) &&
    has(resources, one.resource) &&
    has(verbs, one.verb) &&
    (resourceNames.length === 0 || (one.name !== undefined && resourceNames.includes(one.name)))
  );
}

const show = ({ group, resource, verb, name }: Single): string =>
  `${verb} ${resource}${group === '' ? '' : `.${group}`}${name === undefined ? '' : ` '${name}'`}`;
