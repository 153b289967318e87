import { type AgentMessage, IPC_VERSION, MAX_MESSAGE_DEPTH } from './messages.ts';

/** A message, or one sentence that says why it is none; `id` is the sender's own, where it could be read. */
export type Parsed<T> =
  { readonly message: T; readonly because?: undefined } | { readonly because: string; readonly id?: string };

type Fields = Readonly<Record<string, unknown>>;
type Check = (value: unknown) => string | undefined;

const text =
  (least: number, most: number): Check =>
  (value) =>
    typeof value === 'string' && value.length >= least && value.length <= most
      ? undefined
      : `a string${least > 0 || most < Infinity ? ` of ${least} to ${most} characters` : ''}`;
const anyText = text(0, Infinity);
const truth: Check = (value) => (typeof value === 'boolean' ? undefined : 'true or false');
const anything: Check = (value) => (value === undefined ? 'any JSON' : undefined);
const object: Check = (value) => (isFields(value) ? undefined : 'an object');

/** What each type of message carries, besides `v`, `id` and `type`. */
const agentFields: Readonly<Record<AgentMessage['type'], Readonly<Record<string, Check>>>> = {
  'tool-call': { tool: text(1, 64), arguments: object },
  'tool-result': { ok: truth, content: anyText },
  delta: { text: anyText },
  log: { text: anyText },
  result: { output: anyText },
  error: { message: text(1, Infinity) },
  checkpoint: { state: anything },
};

/** Reads what an agent wrote. Fields that the protocol doesn't know are dropped. */
export function parseAgentMessage(value: unknown): Parsed<AgentMessage> {
  const header = parseHeader(value);
  if ('because' in header) return header;
  const { fields, id } = header;
  const expected = own(agentFields, fields.type);
  if (expected === undefined) {
    const types = Object.keys(agentFields).join(', ');
    return { id, because: `type is ${show(fields.type)}, expected one of ${types}` };
  }
  for (const [name, check] of Object.entries(expected)) {
    const wanted = check(fields[name]);
    if (wanted !== undefined) return { id, because: `${name} is ${show(fields[name])}, expected ${wanted}` };
  }
  const known = ['v', 'id', 'type', ...Object.keys(expected)].map((name) => [name, fields[name]]);
  return { message: Object.fromEntries(known) as AgentMessage };
}

/** Reads `v` and `id`, which every message has. */
export function parseHeader(
  value: unknown,
): { readonly fields: Fields; readonly id: string } | { readonly because: string } {
  if (!isFields(value)) return { because: `the message is ${show(value)}, expected an object` };
  if (value.v !== IPC_VERSION) return { because: `v is ${show(value.v)}, expected ${IPC_VERSION}` };
  const wanted = text(1, 128)(value.id);
  if (wanted !== undefined) return { because: `id is ${show(value.id)}, expected ${wanted}` };
  return { fields: value, id: value.id as string };
}

/** Parses JSON text that a stranger wrote, with a limit on nesting, because code that walks it is recursive. */
export function parseJson(source: string): Parsed<unknown> {
  if (depthOf(source) > MAX_MESSAGE_DEPTH) {
    return { because: `the JSON is nested too deeply: more than ${MAX_MESSAGE_DEPTH} levels` };
  }
  try {
    return { message: JSON.parse(source) as unknown };
  } catch (error) {
    return { because: `the file is not JSON: ${error instanceof Error ? error.message : String(error)}` };
  }
}

function depthOf(source: string): number {
  let depth = 0;
  let deepest = 0;
  let quoted = false;
  for (let at = 0; at < source.length; at += 1) {
    const char = source[at];
    if (quoted) {
      if (char === '\\') at += 1;
      else if (char === '"') quoted = false;
    } else if (char === '"') quoted = true;
    else if (char === '{' || char === '[') deepest = Math.max(deepest, (depth += 1));
    else if (char === '}' || char === ']') depth -= 1;
  }
  return deepest;
}

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const own = <T>(record: Readonly<Record<string, T>>, key: unknown): T | undefined =>
  typeof key === 'string' && Object.hasOwn(record, key) ? record[key] : undefined;

/** A value in a sentence: never more than a few words of it. */
function show(value: unknown): string {
  if (value === undefined) return 'missing';
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'object' && value !== null) return 'an object';
  const shown = JSON.stringify(value);
  return shown.length <= 40
    ? shown
    : `${typeof value === 'string' ? 'a string' : 'a number'} of ${shown.length} characters`;
}
