import { PLACEHOLDER, placeholdersOf, type ToolSchema } from '../../lib/policy/tool-schema.ts';

/** Arguments of a call, as the model gave them. */
export type Arguments = Readonly<Record<string, unknown>>;

const MOST_TOLD = 3;

/** What is wrong with the arguments of a call, in one sentence for the model; `undefined` when nothing is. */
export function argumentProblem(schema: ToolSchema, given: Arguments): string | undefined {
  const found = [...problems(schema, given, '')];
  if (found.length === 0) return undefined;
  const more = found.length > MOST_TOLD ? ` and ${found.length - MOST_TOLD} more` : '';
  return `${found.slice(0, MOST_TOLD).join('; ')}${more}`;
}

/** Without the arguments that a model set to null instead of leaving them out. */
export const withoutNulls = (given: Arguments): Arguments =>
  Object.fromEntries(Object.entries(given).filter(([, value]) => value !== null));

/**
 * The program and its arguments for one call. What stands for an argument becomes a part of one word, whatever is in it;
 * a word for which an argument is missing is left out.
 */
export const fillExec = (exec: readonly string[], given: Arguments): string[] =>
  exec.flatMap((element) => {
    if (!placeholdersOf(element).every((name) => Object.hasOwn(given, name))) return [];
    return [element.replace(PLACEHOLDER, (_, name: string) => String(given[name]))];
  });

function* problems(schema: ToolSchema, value: unknown, path: string): Generator<string> {
  const { type, enum: allowed } = schema;
  if (typeof type === 'string' && !isOfType(value, type)) {
    yield `${named(path)} is ${show(value)}, expected ${article(type)}`;
    return;
  }
  if (Array.isArray(allowed) && !allowed.some((one) => JSON.stringify(one) === JSON.stringify(value))) {
    yield `${named(path)} is ${show(value)}, expected one of ${allowed.map((one) => JSON.stringify(one)).join(', ')}`;
  }
  if (typeof value === 'number') yield* ofNumber(schema, value, path);
  else if (typeof value === 'string') yield* ofText(schema, value, path);
  else if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) yield* problems(schema.items ?? {}, item, `${path}[${index}]`);
  } else if (typeof value === 'object' && value !== null) yield* ofObject(schema, value as Arguments, path);
}

function* ofNumber({ minimum, maximum }: ToolSchema, value: number, path: string): Generator<string> {
  if (typeof minimum === 'number' && value < minimum) yield `${named(path)} is ${value}, expected at least ${minimum}`;
  if (typeof maximum === 'number' && value > maximum) yield `${named(path)} is ${value}, expected at most ${maximum}`;
}

function* ofText({ minLength, maxLength, pattern }: ToolSchema, value: string, path: string): Generator<string> {
  const { length } = Array.from(value); // in characters, as JSON Schema counts
  if (typeof minLength === 'number' && length < minLength) {
    yield `${named(path)} has ${length} characters, expected at least ${minLength}`;
  }
  if (typeof maxLength === 'number' && length > maxLength) {
    yield `${named(path)} has ${length} characters, expected at most ${maxLength}`;
  }
  if (typeof pattern === 'string' && !new RegExp(pattern, 'u').test(value)) {
    yield `${named(path)} is ${show(value)}, expected a match of ${pattern}`;
  }
}

function* ofObject(schema: ToolSchema, value: Arguments, path: string): Generator<string> {
  const properties = (schema.properties ?? {}) as Readonly<Record<string, ToolSchema>>;
  const required = (schema.required ?? []) as readonly string[];
  for (const name of required) if (!Object.hasOwn(value, name)) yield `${named(inside(path, name))} is missing`;
  for (const [name, its] of Object.entries(value)) {
    if (Object.hasOwn(properties, name)) yield* problems(properties[name] ?? {}, its, inside(path, name));
    else if (schema.additionalProperties === false) {
      const known = Object.keys(properties).join(', ');
      yield `${named(inside(path, name))} is not known, expected ${known === '' ? 'none' : `only ${known}`}`;
    }
  }
}

function isOfType(value: unknown, type: string): boolean {
  switch (type) {
    case 'integer':
      return Number.isSafeInteger(value);
    case 'number':
      return Number.isFinite(value);
    case 'array':
      return Array.isArray(value);
    case 'object':
      return typeof value === 'object' && value !== null && !Array.isArray(value);
    default:
      return typeof value === type;
  }
}

const inside = (path: string, name: string): string => (path === '' ? name : `${path}.${name}`);
const named = (path: string): string => (path === '' ? 'the arguments' : `argument '${path}'`);
const article = (type: string): string => (/^[aio]/.test(type) ? `an ${type}` : `a ${type}`);

function show(value: unknown): string {
  const text = JSON.stringify(value) as string | undefined;
  if (text === undefined) return 'nothing';
  return text.length <= 60 ? text : `${text.slice(0, 60)}…`;
}
