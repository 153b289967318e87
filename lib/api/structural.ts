import { z } from 'zod';

/** A CEL rule, as `x-kubernetes-validations` spells it. */
export interface CelRule {
  readonly rule: string;
  readonly message: string;
  readonly fieldPath?: string;
  readonly optionalOldSelf?: boolean;
}

/** A structural OpenAPI v3 schema, as a CustomResourceDefinition holds it. */
export interface OpenApi {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly format?: string;
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly maxProperties?: number;
  readonly items?: OpenApi;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, OpenApi>>;
  readonly additionalProperties?: OpenApi;
  readonly 'x-kubernetes-validations'?: readonly CelRule[];
  readonly 'x-kubernetes-list-type'?: string;
  readonly 'x-kubernetes-preserve-unknown-fields'?: true;
  readonly 'x-kubernetes-list-map-keys'?: readonly string[];
}

const KEYWORDS = new Set([
  'type', 'description', 'default', 'enum', 'format', 'pattern', 'minLength', 'maxLength', 'minimum', 'maximum',
  'minItems', 'maxItems', 'maxProperties', 'items', 'required', 'properties', 'additionalProperties',
  'x-kubernetes-validations', 'x-kubernetes-list-type', 'x-kubernetes-list-map-keys',
  'x-kubernetes-preserve-unknown-fields',
]); // prettier-ignore

/**
 * The structural schema of a zod schema.
 *
 * Refuses at build time what an API server would refuse at install time: unions, references, patterns over keys,
 * strings, lists and maps without an upper bound (CEL's cost estimate needs one), and list-map keys that may be
 * missing. The rules are those of
 * https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#specifying-a-structural-schema
 *
 * @param path where the schema stands, for the error message
 * @throws Error that names the field, what is wrong with it, and what to write instead
 */
export function structural(schema: z.ZodType, path: string): OpenApi {
  return check(z.toJSONSchema(schema, { target: 'openapi-3.0', io: 'input' }) as OpenApi, path);
}

function check(node: OpenApi, path: string): OpenApi {
  const { additionalProperties, ...all } = node as OpenApi & { additionalProperties?: OpenApi | boolean };
  const rest = tidy(all);
  // zod writes `additionalProperties: {}`/`false` beside `properties`; the API server prunes unknown fields by itself.
  const isMap = typeof additionalProperties === 'object' && all.properties === undefined;
  for (const keyword of Object.keys(rest)) {
    if (!KEYWORDS.has(keyword)) {
      throw new Error(`${path}: '${keyword}' can't be part of a CRD: use one plain type without unions or references`);
    }
  }
  requireBounds(node, isMap, path);
  for (const key of node['x-kubernetes-list-map-keys'] ?? []) {
    if (node.items?.required?.includes(key) !== true) {
      throw new Error(`${path}: list-map key '${key}' may be missing in an item: make it required`);
    }
  }
  return {
    ...rest,
    ...(rest.items === undefined ? {} : { items: check(rest.items, `${path}[]`) }),
    ...(rest.properties === undefined
      ? {}
      : {
          properties: Object.fromEntries(
            Object.entries(rest.properties).map(([name, child]) => [name, check(child, `${path}.${name}`)]),
          ),
        }),
    ...(isMap ? { additionalProperties: check(additionalProperties, `${path}{}`) } : {}),
  };
}

function requireBounds(node: OpenApi, isMap: boolean, path: string): void {
  const limit = (keyword: keyof OpenApi, what: string) => {
    if (node[keyword] === undefined) throw new Error(`${path}: a ${what} needs an upper bound: add ${keyword}`);
  };
  if (node.type === 'string' && node.enum === undefined && node.format !== 'date-time') limit('maxLength', 'string');
  if (node.type === 'array') limit('maxItems', 'list');
  if (isMap) limit('maxProperties', 'map');
}

/** Leaves out what zod says twice: the pattern of a `date-time`, and that an object of any fields has none of its own. */
function tidy({ pattern, properties, ...rest }: OpenApi): OpenApi {
  const anyFields = rest['x-kubernetes-preserve-unknown-fields'] === true;
  return {
    ...rest,
    ...(pattern === undefined || rest.format === 'date-time' ? {} : { pattern }),
    ...(properties === undefined || anyFields ? {} : { properties }),
  };
}
