import type { CelRule, OpenApi } from '../api/structural.ts';

/** What a page is made from: the parts of a CustomResourceDefinition that a reader wants to know. */
export interface Crd {
  readonly spec: {
    readonly group: string;
    readonly scope: string;
    readonly names: {
      readonly kind: string;
      readonly plural: string;
      readonly shortNames: readonly string[];
      readonly categories: readonly string[];
    };
    readonly versions: readonly Version[];
  };
}

interface Version {
  readonly name: string;
  readonly additionalPrinterColumns: readonly Column[];
  readonly schema: { readonly openAPIV3Schema: OpenApi };
}

interface Column {
  readonly name: string;
  readonly jsonPath: string;
  readonly priority?: number;
}

/** An object of the schema: what a table is made from. */
export interface ObjectNode {
  /** Where it stands: `spec`, `spec.agent`, `spec.agent.env[]`; the values of a map are at `<path>.*`. */
  readonly path: string;
  readonly schema: OpenApi;
}

/** Objects that have the same fields, by all the paths where they stand, the shortest first. */
export interface Shape {
  readonly paths: readonly string[];
  readonly schema: OpenApi;
}

/** The objects below `path`, itself first, in the order in which their fields are declared. */
export function objects(schema: OpenApi, path: string): ObjectNode[] {
  const children = Object.entries(schema.properties ?? {});
  return [
    ...(children.length === 0 ? [] : [{ path, schema }]),
    ...children.flatMap(([name, child]) => objects(child, `${path}.${name}`)),
    ...(schema.items === undefined ? [] : objects(schema.items, `${path}[]`)),
    ...(schema.additionalProperties === undefined ? [] : objects(schema.additionalProperties, `${path}.*`)),
  ];
}

/** The objects below `path`, each kind of object once. */
export function shapes(schema: OpenApi, path: string): Shape[] {
  const all = objects(schema, path);
  const groups = Map.groupBy(all, (node) => JSON.stringify([node.schema.properties, node.schema.required]));
  const found = [...groups.values()].flatMap((nodes) => {
    const [first, ...others] = byDepth(nodes);
    return first === undefined
      ? []
      : [{ paths: [first, ...others].map((node) => node.path), schema: first.schema, at: all.indexOf(first) }];
  });
  return found.sort((a, b) => a.at - b.at).map(({ paths, schema: shape }) => ({ paths, schema: shape }));
}

/** What stands higher up comes first; among equals the order stays. */
const byDepth = <T extends { readonly path: string }>(nodes: readonly T[]): T[] =>
  nodes.toSorted((a, b) => a.path.split('.').length - b.path.split('.').length);

/** A rule, and the path of what it is about; the path of the whole object is empty. */
export interface PlacedRule extends CelRule {
  readonly path: string;
}

/** All CEL rules of a schema and what is below it. */
export function rules(schema: OpenApi, path = ''): PlacedRule[] {
  const below = (name: string) => (path === '' ? name : `${path}.${name}`);
  return [
    ...(schema['x-kubernetes-validations'] ?? []).map((rule) => ({ ...rule, path })),
    ...Object.entries(schema.properties ?? {}).flatMap(([name, child]) => rules(child, below(name))),
    ...(schema.items === undefined ? [] : rules(schema.items, `${path}[]`)),
    ...(schema.additionalProperties === undefined ? [] : rules(schema.additionalProperties, `${path}.*`)),
  ];
}

/** The same rule in several places, once, with all of them. */
export const grouped = (all: readonly PlacedRule[]): { readonly rule: CelRule; readonly paths: readonly string[] }[] =>
  [...Map.groupBy(all, ({ rule, message }) => JSON.stringify([rule, message])).values()].flatMap((same) =>
    same[0] === undefined ? [] : [{ rule: same[0], paths: byDepth(same).map(({ path }) => path) }],
  );

/**
 * The path that a rule freezes for good, if that is all it does. A rule that allows some changes, such as a decision
 * that can be made once, is none of these.
 */
export function frozenPath({ rule, path }: PlacedRule): string | undefined {
  if (rule === 'self == oldSelf') return path;
  const [, field] = /(?:^|\|\| )self\.(\w+) == oldSelf\.\w+\)?$/.exec(rule) ?? [];
  if (field === undefined) return undefined;
  const same = `self.${field} == oldSelf.${field}`;
  const forms = [same, `has(self.${field}) == has(oldSelf.${field}) && (!has(self.${field}) || ${same})`];
  return forms.includes(rule) ? (path === '' ? field : `${path}.${field}`) : undefined;
}
