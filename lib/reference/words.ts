import type { z } from 'zod';
import { durationSchema } from '../api/duration.ts';
import { structural, type OpenApi } from '../api/structural.ts';
import { httpUrl, objectName, quantity, toolName } from '../api/v1alpha1/fields.ts';
import { cron } from '../api/v1alpha1/schedule.ts';

const patternOf = (schema: z.ZodType): string | undefined => structural(schema, 'field').pattern;

/** Texts that are a type of their own: what a field's type is called, and what is right for it. */
const TYPES = new Map<string | undefined, { readonly name: string; readonly limits: readonly string[] }>([
  [patternOf(durationSchema), { name: 'duration', limits: ['such as `90s`, `10m` or `1h30m`'] }],
  [patternOf(quantity), { name: 'quantity', limits: ['such as `250m` or `1Gi`'] }],
  [patternOf(cron), { name: 'cron expression', limits: ['minute, hour, day of month, month and day of week'] }],
]);

/** What other patterns ask for, in words. */
const PATTERNS = new Map<string | undefined, string>([
  [patternOf(objectName), 'a DNS label: lower-case letters, digits and `-`'],
  [patternOf(toolName), 'letters, digits, `_` and `-`, begins with a letter'],
  [patternOf(httpUrl), 'begins with `http://` or `https://`'],
  ['^[a-z0-9-]+$', 'lower-case letters, digits and `-`'],
  ['^[A-Za-z]+([/_+-][A-Za-z0-9]+)*$', 'a name of the IANA time zone database'],
]);

/** `string`, `list of objects` and so on. */
export function typeName(schema: OpenApi): string {
  const { type, items, additionalProperties, format, pattern } = schema;
  if (type === 'array' && items !== undefined) {
    return `${schema['x-kubernetes-list-type'] === 'set' ? 'set' : 'list'} of ${plural(typeName(items))}`;
  }
  if (additionalProperties !== undefined) return `map of ${plural(typeName(additionalProperties))}`;
  if (format === 'date-time') return 'time';
  if (schema['x-kubernetes-preserve-unknown-fields'] === true) return `any ${type ?? 'value'}`;
  return TYPES.get(pattern)?.name ?? type ?? 'any value';
}

/** `strings`; of what is composed, the first word: `maps of strings`. */
const plural = (name: string): string => name.replace(/^(any |cron )?\w+/, '$&s');

/** The limits of a field, each a phrase; the values of an enum are not among them. */
export function limits(schema: OpenApi): string[] {
  const { items, minItems, maxItems, maxProperties, format, additionalProperties } = schema;
  const keys = schema['x-kubernetes-list-map-keys'];
  return [
    ...range(minItems, maxItems, 'items', 'item'),
    ...range(undefined, maxProperties, 'entries', 'entry'),
    ...(keys === undefined ? [] : [`one for each ${keys.map(code).join(' and ')}`]),
    ...(format === 'date-time' ? ['such as `2030-01-31T12:00:00Z`'] : text(schema)),
    ...numbers(schema),
    ...each('each', items),
    ...each('each value', additionalProperties),
  ];
}

function text({ pattern, minLength, maxLength }: OpenApi): string[] {
  const known = TYPES.get(pattern);
  if (known !== undefined) return [...known.limits];
  const words = PATTERNS.get(pattern);
  return [
    ...range(minLength, maxLength, 'characters', 'character'),
    ...(pattern === undefined ? [] : [words ?? `matches ${code(pattern)}`]),
  ];
}

function numbers({ minimum, maximum }: OpenApi): string[] {
  // Bounds that every integer has are not worth a word.
  const least = minimum === Number.MIN_SAFE_INTEGER ? undefined : minimum;
  const most = maximum === Number.MAX_SAFE_INTEGER ? undefined : maximum;
  if (least !== undefined && most !== undefined) return [`${number(least)} to ${number(most)}`];
  return [
    ...(least === undefined ? [] : [`at least ${number(least)}`]),
    ...(most === undefined ? [] : [`at most ${number(most)}`]),
  ];
}

/** What holds for the members of a list or a map of plain values; objects have a table of their own. */
function each(who: string, member: OpenApi | undefined): string[] {
  if (member === undefined || member.properties !== undefined) return [];
  const phrases = [
    ...(member.enum === undefined ? [] : [`one of ${member.enum.map(value).join(', ')}`]),
    ...limits(member),
  ];
  return phrases.length === 0 ? [] : [`${who}: ${phrases.join(', ')}`];
}

function range(least: number | undefined, most: number | undefined, many: string, one: string): string[] {
  const unit = (count: number) => `${number(count)} ${count === 1 ? one : many}`;
  if (most !== undefined && least === most) return [`exactly ${unit(most)}`];
  if (least !== undefined && least > 0 && most !== undefined) return [`${number(least)} to ${unit(most)}`];
  if (most !== undefined) return [`at most ${unit(most)}`];
  return least === undefined || least === 0 ? [] : [`at least ${unit(least)}`];
}

/** `65,536` */
const number = (count: number): string => count.toLocaleString('en-US');

/** A value as YAML would have it on one line. */
export const value = (content: unknown): string =>
  code(typeof content === 'string' && content !== '' ? content : JSON.stringify(content));

/** Text in a code span, whatever it holds. */
export const code = (content: string): string => (content.includes('`') ? `\`\` ${content} \`\`` : `\`${content}\``);
