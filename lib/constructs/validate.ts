import type { z } from 'zod';
import type { KindDefinition } from '../api/kind.ts';
import { structural } from '../api/structural.ts';
import { broken, brokenRules } from './rules.ts';

/** What of an object there is to validate. */
interface Validated {
  readonly metadata: { readonly name: string };
  readonly spec: unknown;
}

/**
 * Refuses what the API server would refuse about a new object, and the field names that it would drop silently.
 *
 * @param what which object it is, for the message
 * @throws Error that lists every problem with the field it is in
 */
export function validate(
  { spec: schema, rules }: KindDefinition<z.ZodType, z.ZodType>,
  object: Validated,
  what: string,
): void {
  const { spec } = object;
  const result = schema.safeParse(spec, { reportInput: true });
  const problems = result.success
    ? [
        ...unknownFields(spec, result.data, 'spec'),
        ...brokenRules(structural(schema, 'spec'), spec, 'spec'),
        ...broken(rules, object),
      ]
    : result.error.issues.map(({ path, message, input }) => `${at(path)}: ${message}${got(input)}`);
  if (problems.length > 0) throw new Error(`${what} is not valid:\n  ${problems.join('\n  ')}`);
}

const at = (path: readonly PropertyKey[]): string =>
  path.reduce<string>((text, key) => (typeof key === 'number' ? `${text}[${key}]` : `${text}.${String(key)}`), 'spec');

const got = (input: unknown): string =>
  input === undefined || (typeof input === 'object' && input !== null) ? '' : `, got ${JSON.stringify(input)}`;

/** zod keeps what it knows: what is in `given` and not in `kept` has no meaning. */
function unknownFields(given: unknown, kept: unknown, path: string): string[] {
  if (!isObject(given) || !isObject(kept)) return [];
  return Object.entries(given).flatMap(([key, value]) => {
    const here = Array.isArray(given) ? `${path}[${key}]` : `${path}.${key}`;
    if (value === undefined) return [];
    return key in kept ? unknownFields(value, kept[key], here) : [`${here}: there is no such field`];
  });
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
