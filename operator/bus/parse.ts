/** Reads a message of version 1 from the bus, or says in one sentence why it is none. */
export function parseMessage<T>(
  text: string,
  problemOf: (value: Readonly<Record<string, unknown>>) => string | undefined,
): { readonly message: T } | { readonly because: string } {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { because: 'the body is not JSON' };
  }
  if (!isObject(value)) return { because: 'the body is not an object' };
  if (value.v !== 1) return { because: `version is ${JSON.stringify(value.v)}, expected 1` };
  if (typeof value.uid !== 'string') return { because: 'uid is missing' };
  const because = problemOf(value);
  return because === undefined ? { message: value as T } : { because };
}

export const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The first of these fields that is not a text, as a sentence. */
export const missingText = (value: Readonly<Record<string, unknown>>, fields: readonly string[]): string | undefined =>
  fields
    .filter((field) => typeof value[field] !== 'string')
    .map((field) => `${field} is missing`)
    .at(0);
