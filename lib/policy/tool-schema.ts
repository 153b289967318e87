/**
 * The part of JSON Schema that the parameters of a skill's tool may be written in, and the placeholders of its command.
 * Admission refuses anything else, so that nothing which a pack's author wrote down is silently not checked.
 */

/** A schema, as far as it is understood. */
export interface ToolSchema {
  readonly type?: unknown;
  readonly properties?: unknown;
  readonly required?: unknown;
  readonly enum?: unknown;
  readonly minimum?: unknown;
  readonly maximum?: unknown;
  readonly minLength?: unknown;
  readonly maxLength?: unknown;
  readonly pattern?: unknown;
  readonly items?: unknown;
  readonly additionalProperties?: unknown;
}

type Problem = string | undefined;
type Fields = Readonly<Record<string, unknown>>;

const TYPES = ['string', 'integer', 'number', 'boolean', 'array', 'object'] as const;
/** Types whose values are one word. */
const WORDS: readonly unknown[] = ['string', 'integer', 'number', 'boolean'];
const MOST_LEVELS = 8;

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const expected = (holds: boolean, what: string): Problem => (holds ? undefined : what);
const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;
const areTexts = (value: unknown): boolean => Array.isArray(value) && value.every((item) => typeof item === 'string');

/** What each keyword must hold. Those without a rule only explain. */
const KEYWORDS: Readonly<Record<string, (value: unknown) => Problem>> = {
  type: (value) =>
    expected(
      TYPES.some((type) => type === value),
      `one of ${TYPES.join(', ')}`,
    ),
  properties: (value) => expected(isFields(value), 'an object'),
  required: (value) => expected(areTexts(value), 'a list of names'),
  enum: (value) => expected(Array.isArray(value) && value.length > 0, 'a list of values'),
  minimum: (value) => expected(typeof value === 'number', 'a number'),
  maximum: (value) => expected(typeof value === 'number', 'a number'),
  minLength: (value) => expected(isCount(value), 'a whole number'),
  maxLength: (value) => expected(isCount(value), 'a whole number'),
  pattern: (value) => expected(typeof value === 'string' && isPattern(value), 'a regular expression'),
  items: (value) => expected(isFields(value), 'a schema'),
  additionalProperties: (value) => expected(typeof value === 'boolean', 'true or false'),
  title: () => undefined,
  description: () => undefined,
  default: () => undefined,
  examples: () => undefined,
};

function isPattern(source: string): boolean {
  try {
    return new RegExp(source, 'u').source !== '';
  } catch {
    return false;
  }
}

/** What is wrong with the schema of a tool's arguments, a sentence each. */
export function schemaProblems(schema: unknown, path = 'parameters', level = 1): string[] {
  if (!isFields(schema)) return [`${path} must be a schema, got ${JSON.stringify(schema)}`];
  if (level > MOST_LEVELS) return [`${path} is nested too deeply: at most ${MOST_LEVELS} levels`];
  const own = Object.entries(schema).flatMap(([keyword, value]) => {
    const rule = Object.hasOwn(KEYWORDS, keyword) ? KEYWORDS[keyword] : undefined;
    if (rule === undefined) {
      return [`${path} uses '${keyword}', which is not checked: use ${Object.keys(KEYWORDS).join(', ')}`];
    }
    const wanted = rule(value);
    return wanted === undefined ? [] : [`${path}.${keyword} must be ${wanted}, got ${JSON.stringify(value)}`];
  });
  if (level === 1 && schema.type !== 'object')
    own.push(`${path}.type must be object, got ${JSON.stringify(schema.type ?? null)}`);
  const properties = isFields(schema.properties) ? Object.entries(schema.properties) : [];
  return [
    ...own,
    ...properties.flatMap(([name, its]) => schemaProblems(its, `${path}.properties.${name}`, level + 1)),
    ...(isFields(schema.items) ? schemaProblems(schema.items, `${path}.items`, level + 1) : []),
  ];
}

/** `{name}` in an element of a tool's command. */
export const PLACEHOLDER = /\{([A-Za-z_][A-Za-z0-9_-]*)\}/g;

/** Names that stand in an element of a tool's command. */
export const placeholdersOf = (element: string): string[] =>
  [...element.matchAll(PLACEHOLDER)].map(([, name = '']) => name);

/**
 * What is wrong with the command of a tool, a sentence each.
 *
 * @param usesAll whether arguments reach the program by the command alone
 */
export function execProblems(
  [program = '', ...rest]: readonly string[],
  parameters: unknown,
  usesAll: boolean,
): string[] {
  const declared = isFields(parameters) && isFields(parameters.properties) ? parameters.properties : {};
  const used = rest.flatMap(placeholdersOf);
  const known = Object.keys(declared);
  return [
    ...(placeholdersOf(program).length === 0
      ? []
      : [`exec names the program by an argument, '${program}': write the program's name`]),
    ...[...new Set(used)].flatMap((name) => {
      const its = declared[name];
      if (its === undefined) {
        return [
          `exec uses {${name}}, which parameters.properties does not have: declare it, or write { ${name} } with spaces if it is no argument`,
        ];
      }
      const type = isFields(its) ? its.type : undefined;
      return WORDS.includes(type)
        ? []
        : [`exec uses {${name}}, which is no single word: its type must be one of ${WORDS.join(', ')}`];
    }),
    ...(usesAll
      ? known
          .filter((name) => !used.includes(name))
          .map(
            (name) =>
              `exec does not use the argument '${name}': write {${name}} where it belongs, or take it out of parameters`,
          )
      : []),
  ];
}

/** Tools that every agent may have from the platform itself: no skill can offer one of these names. */
export const PLATFORM_TOOLS: readonly string[] = [
  'execute_command',
  'read_file',
  'write_file',
  'list_directory',
  'fetch_url',
  'send_channel_message',
  'schedule_task',
  'memory_search',
  'memory_store',
  'memory_list',
];
