import { durationSeconds } from '../lib/api/duration.ts';
import { ConfigError } from './errors.ts';
import { LOG_LEVELS, type LogLevel } from './log.ts';

/** The variables of a process. */
export type Variables = Readonly<Record<string, string | undefined>>;

/** Reads one variable's text; `undefined` when it isn't what `expected` says. */
export interface Parser<T> {
  readonly expected: string;
  parse(text: string): T | undefined;
}

/** Reads variables and remembers what was wrong with them. */
export class EnvReader {
  readonly #variables: Variables;
  readonly #problems: string[] = [];

  constructor(variables: Variables) {
    this.#variables = variables;
  }

  /** The value of a variable, or of `fallback` when it isn't set; a problem is kept for `finish`. */
  read<T>(name: string, parser: Parser<T>, fallback?: string): T {
    const text = this.#variables[name] ?? fallback;
    const value = text === undefined ? undefined : parser.parse(text);
    if (value === undefined) {
      this.#problems.push(`${name}: expected ${parser.expected}, got ${text === undefined ? 'nothing' : `'${text}'`}`);
    }
    return value as T; // never seen by anyone when it is undefined: finish() throws
  }

  /** Like `read`, for a variable that may be missing or empty. */
  optional<T>(name: string, parser: Parser<T>): T | undefined {
    const text = this.#variables[name];
    return text === undefined || text === '' ? undefined : this.read(name, parser);
  }

  /** @throws ConfigError with every problem, so that a bad Deployment is fixed in one edit */
  finish(): void {
    if (this.#problems.length === 0) return;
    throw new ConfigError(`the environment of this process is wrong:\n  ${this.#problems.join('\n  ')}`);
  }
}

/** Reads a whole environment: `build` asks the reader for each variable; all problems are reported together. */
export function readEnv<T>(variables: Variables, build: (env: EnvReader) => T): T {
  const reader = new EnvReader(variables);
  const value = build(reader);
  reader.finish();
  return value;
}

/** Any text but the empty one. */
export const text: Parser<string> = {
  expected: 'a text that is not empty',
  parse: (value) => (value === '' ? undefined : value),
};

/** One of `values`. */
export const oneOf = <const T extends string>(values: readonly T[]): Parser<T> => ({
  expected: `one of ${values.join(', ')}`,
  parse: (value) => values.find((candidate) => candidate === value),
});

/** A whole number between two bounds. */
export const integer = (low: number, high: number): Parser<number> => ({
  expected: `a whole number from ${low} to ${high}`,
  parse(value) {
    const number = Number(value);
    return value !== '' && Number.isInteger(number) && number >= low && number <= high ? number : undefined;
  },
});

/** A URL of one of the given schemes, as text. */
export const url = (...schemes: readonly string[]): Parser<string> => ({
  expected: `a URL that starts with ${schemes.map((scheme) => `${scheme}://`).join(' or ')}`,
  parse: (value) =>
    URL.canParse(value) && schemes.some((scheme) => value.startsWith(`${scheme}://`)) ? value : undefined,
});

/** A duration such as `90s` or `168h`, in milliseconds. */
export const duration: Parser<number> = {
  expected: "a duration such as '90s' or '168h'",
  parse(value) {
    try {
      return durationSeconds(value) * 1000;
    } catch {
      return undefined;
    }
  },
};

/** A list, separated by commas. */
export const list: Parser<readonly string[]> = {
  expected: 'a list separated by commas',
  parse: (value) =>
    value
      .split(',')
      .map((part) => part.trim())
      .filter((part) => part !== ''),
};

/** Names with their values: `a=1,b=2`. */
export const pairs: Parser<Readonly<Record<string, string>>> = {
  expected: "a list such as 'a=1,b=2'",
  parse(value) {
    const all = (list.parse(value) ?? []).map((part) => /^([^=]+)=(.+)$/.exec(part));
    if (all.some((match) => match === null)) return undefined;
    return Object.fromEntries(all.map((match) => [match?.[1] ?? '', match?.[2] ?? '']));
  },
};

/** The level every process logs at. */
export const logLevel = (env: EnvReader): LogLevel => env.read('LOG_LEVEL', oneOf(LOG_LEVELS), 'info');
