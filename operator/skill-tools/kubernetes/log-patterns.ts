import { firstLines, oneLine, plural } from '../text.ts';

/** A line as `kubectl logs --prefix --timestamps` gives it. */
interface LogLine {
  readonly pod: string;
  readonly time: string;
  readonly text: string;
}

/** Lines that say the same but for numbers, names and times. */
interface Pattern {
  readonly pattern: string;
  count: number;
  first: string;
  last: string;
  readonly example: string;
  readonly pods: Set<string>;
}

const MAX_PATTERNS = 25;
const MAX_PODS = 4;

/** Words that errors are told in; numbers of HTTP errors only where something says that they are one. */
const ERROR =
  /\b(error|err|errno|fatal|panic(ked)?|exception|traceback|fail(s|ed|ure|ing)?|critical|crit|emerg|alert|severe|timed? ?out|deadline exceeded|refused|denied|forbidden|unauthorized|unavailable|unreachable|abort(ed)?|killed|oom(killed)?|out of memory|no space left|segfault|segmentation fault|cannot|can't|could not|unable to)\b|\b(status|code|http)[^a-z0-9]{1,4}5\d\d\b|^[EF]\d{4} /i;
const LEVELS_OF_ERRORS = /^(error|err|fatal|critical|crit|panic|alert|emerg(ency)?|severe)$/i;
const LEVELS_OF_OTHERS = /^(trace|debug|info|information|notice)$/i;

/**
 * Groups log lines into patterns, the most frequent first.
 *
 * @param log what `kubectl logs --prefix --timestamps` printed
 * @param all whether lines count that don't look like errors
 */
export function patternsText(log: string, all: boolean): string {
  const lines = log
    .split('\n')
    .map(parse)
    .filter((line) => line !== undefined);
  if (lines.length === 0) return 'No lines.';
  const patterns = new Map<string, Pattern>();
  let matching = 0;
  for (const { pod, time, text } of lines) {
    const message = messageOfLine(text);
    if (!all && !message.isError) continue;
    matching += 1;
    const pattern = patternOf(message.text);
    const known = patterns.get(pattern);
    if (known === undefined) {
      patterns.set(pattern, { pattern, count: 1, first: time, last: time, example: text, pods: new Set([pod]) });
      continue;
    }
    known.count += 1;
    if (time < known.first) known.first = time;
    if (time > known.last) known.last = time;
    known.pods.add(pod);
  }
  const times = lines.map(({ time }) => time).sort();
  const pods = new Set(lines.map(({ pod }) => pod)).size;
  const what = all ? '' : ` ${matching} of them look like errors,`;
  const found = [...patterns.values()].sort((a, b) => b.count - a.count);
  return [
    `${plural(lines.length, 'line')} of ${plural(pods, 'Pod')} from ${short(times[0])} to ${short(times.at(-1))};${what} in ${plural(found.length, 'pattern')}.`,
    ...firstLines(found.map(patternText), MAX_PATTERNS, 'these are rarer'),
  ].join('\n');
}

function patternText({ pattern, count, first, last, example, pods }: Pattern): string {
  const names = firstLines([...pods].sort(), MAX_PODS, 'other Pods').join(', ');
  return `${count}x ${oneLine(pattern, 240)}\n    ${short(first)} to ${short(last)}, ${names}\n    ${oneLine(example, 400)}`;
}

const short = (time = ''): string => `${time.slice(0, 19)}Z`;

function parse(line: string): LogLine | undefined {
  const match = /^\[pod\/([^/\]]+)\/[^\]]+\] (\d{4}-\d\d-\d\dT[\d:.]+Z) ?(.*)$/.exec(line);
  const [, pod = '', time = '', text = ''] = match ?? [];
  // What is indented goes on with the line before: a stack trace is one error, not thirty.
  return match === null || text.trim() === '' || /^\s/.test(text) ? undefined : { pod, time, text };
}

/** What a line says, and whether it looks like an error. Structured lines say so themselves. */
function messageOfLine(text: string): { readonly text: string; readonly isError: boolean } {
  const fields = text.startsWith('{') ? fieldsOf(text) : undefined;
  if (fields === undefined) return { text, isError: ERROR.test(text) };
  const level = ['level', 'severity', 'lvl', 'log.level', '@level']
    .map((name) => fields[name])
    .find((value) => value !== undefined);
  const said = ['msg', 'message', '@message', 'event']
    .map((name) => fields[name])
    .find((value) => typeof value === 'string');
  const cause = [fields.error, fields.err].map(causeOf).find((value) => value !== undefined);
  const message = [said, cause].filter((part) => part !== undefined).join(': ');
  return {
    text: message === '' ? text : message,
    isError: isErrorLevel(level) ?? (cause !== undefined || ERROR.test(text)),
  };
}

function fieldsOf(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}

function causeOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  const message = (value as { message?: unknown } | undefined | null)?.message;
  return typeof message === 'string' ? message : undefined;
}

/** Nothing where the level says nothing: a warning may well be told of an error. */
function isErrorLevel(level: unknown): boolean | undefined {
  if (typeof level === 'number') return level >= 50 ? true : level <= 30 ? false : undefined;
  if (typeof level !== 'string') return undefined;
  if (LEVELS_OF_ERRORS.test(level)) return true;
  return LEVELS_OF_OTHERS.test(level) ? false : undefined;
}

/** A line without what differs from one occurrence to the next. */
const patternOf = (text: string): string =>
  text
    .slice(0, 1000)
    .replace(/\d{4}[-/]\d\d[-/]\d\d[T ][\d:.,]+(Z|[+-]\d\d:?\d\d)?/g, '<time>')
    .replace(/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/gi, '<uuid>')
    .replace(/\b\d{1,3}(\.\d{1,3}){3}(:\d+)?\b/g, '<address>')
    .replace(/\b0x[0-9a-f]+\b/gi, '<hex>')
    .replace(/\b(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{8,}\b/gi, '<hex>')
    .replace(/\d+(\.\d+)?/g, '<n>')
    .replace(/\s+/g, ' ')
    .trim();
