import { evaluate } from '@marcbachmann/cel-js';
import type { CelRule, OpenApi } from '../api/structural.ts';

/**
 * The sentences of the rules that a new object breaks: the CRD's own CEL rules, as the API server evaluates them, but for
 * those about changes (`oldSelf`); and lists that hold something twice.
 *
 * @param path where the value stands, for the message
 */
export function brokenRules(schema: OpenApi, value: unknown, path: string): string[] {
  if (value === undefined || value === null) return [];
  const own = broken(schema['x-kubernetes-validations'], value).map((message) => `${path}: ${message}`);
  return [
    ...own,
    ...twice(schema, value, path),
    ...children(schema, value).flatMap(([child, at, there]) => brokenRules(child, there, path + at)),
  ];
}

/** The sentences of the rules over `self` that do not hold. */
export const broken = (rules: readonly CelRule[] | undefined, self: unknown): string[] =>
  (rules ?? [])
    .filter(({ rule }) => !rule.includes('oldSelf') && evaluate(rule, { self }) !== true)
    .map(({ message }) => message);

/** Entries of a set, or of a list with keys, that are there already. */
function twice(schema: OpenApi, value: unknown, path: string): string[] {
  const keys = schema['x-kubernetes-list-map-keys'];
  if (!Array.isArray(value) || (keys === undefined && schema['x-kubernetes-list-type'] !== 'set')) return [];
  const names = value.map((item: Record<string, unknown>) =>
    JSON.stringify(keys === undefined ? item : keys.map((key) => item[key])),
  );
  return names.flatMap((name, index) => {
    const first = names.indexOf(name);
    return first === index ? [] : [`${path}[${index}]: is there already, as ${path}[${first}]`];
  });
}

/** What a value holds, each with its schema and how it is reached. */
function children(
  { properties = {}, items, additionalProperties }: OpenApi,
  value: unknown,
): [OpenApi, string, unknown][] {
  if (typeof value !== 'object' || value === null) return [];
  if (Array.isArray(value)) {
    return items === undefined ? [] : value.map((item, index) => [items, `[${index}]`, item]);
  }
  return Object.entries(value).flatMap(([key, there]) => {
    const schema = properties[key] ?? additionalProperties;
    return schema === undefined ? [] : [[schema, `.${key}`, there] as [OpenApi, string, unknown]];
  });
}
