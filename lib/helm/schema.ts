/** The part of JSON Schema that the values of the chart use. */
export interface JsonSchema {
  readonly type: 'string' | 'integer' | 'boolean' | 'object' | 'array';
  readonly description?: string;
  readonly enum?: readonly (string | number)[];
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly items?: JsonSchema;
  readonly uniqueItems?: boolean;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly additionalProperties?: boolean | JsonSchema | { readonly type: readonly string[] };
  readonly required?: readonly string[];
}

/** A DNS label, as names of namespaces and most objects are. */
const DNS_NAME = '^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$';

/** Text that may not be empty. */
export const text: JsonSchema = { type: 'string', minLength: 1 };

/** Any text. */
export const optionalText: JsonSchema = { type: 'string' };

/** The name of an object. */
export const objectName: JsonSchema = { type: 'string', pattern: DNS_NAME };

/** The name of an object, or nothing. */
export const optionalName: JsonSchema = { type: 'string', pattern: `^$|${DNS_NAME}` };

/** Names of namespaces, each once. */
export const namespaces: JsonSchema = {
  type: 'array',
  items: { type: 'string', pattern: '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$', maxLength: 63 },
  uniqueItems: true,
};

/** Yes or no. */
export const flag: JsonSchema = { type: 'boolean' };

/** A number of Pods: never 0, since agents would then stand still. */
export const replicas: JsonSchema = { type: 'integer', minimum: 1, maximum: 100 };

/** An amount of memory or disk. */
export const quantity: JsonSchema = {
  type: 'string',
  pattern: '^[0-9]+(\\.[0-9]+)?(m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)?$',
};

/** A duration, such as `90s` or `1h30m`. */
export const duration: JsonSchema = {
  type: 'string',
  pattern: '^([0-9]{1,6}h)?([0-9]{1,6}m)?([0-9]{1,6}s)?$',
  minLength: 2,
};

/** One of a few words. */
export const oneOf = (...words: readonly string[]): JsonSchema => ({ type: 'string', enum: words });

/** Ranges of addresses. */
export const cidrs: JsonSchema = { type: 'array', items: { type: 'string', pattern: '^[0-9a-fA-F.:]+/[0-9]{1,3}$' } };

/** A list of objects that Kubernetes knows how to check. */
export const objects: JsonSchema = { type: 'array', items: { type: 'object' } };

/** A map from labels to their values. */
export const labels: JsonSchema = { type: 'object', additionalProperties: { type: 'string' } };

/** `issuerRef` of a Certificate, or nothing. */
export const issuerRef: JsonSchema = {
  type: 'object',
  properties: { name: objectName, kind: text, group: text },
  additionalProperties: false,
};

const amounts: JsonSchema = { type: 'object', additionalProperties: { type: ['string', 'number'] } };

/** `resources` of a container. */
export const resources: JsonSchema = {
  type: 'object',
  properties: { requests: amounts, limits: amounts },
  additionalProperties: false,
};
