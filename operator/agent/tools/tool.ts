/** What the built-in tools work with. */
export interface ToolContext {
  /** Directory that relative paths start in. */
  readonly workspace: string;
  /** Environment of commands. */
  readonly variables: Readonly<Record<string, string | undefined>>;
  /** Kills a process and all that it started. */
  readonly killGroup: (pid: number) => void;
  /** Aborts when the run is cancelled. */
  readonly signal: AbortSignal;
}

/** Arguments as the model gave them. */
export type Arguments = Readonly<Record<string, unknown>>;

/** A mistake or a failure that the model should read: one sentence that says what to do instead. */
export class ToolError extends Error {
  override readonly name = 'ToolError';
}

/** A tool, executed: the text for the model. Rejects with a {@link ToolError}. */
export type Tool = (given: Arguments, context: ToolContext) => Promise<string>;

/** An argument that must be text; `fallback` when it may be left out. */
export function text(given: Arguments, name: string, fallback?: string): string {
  const value = given[name] ?? fallback;
  if (typeof value === 'string') return value;
  throw new ToolError(
    `argument '${name}' must be a string, got ${value === undefined ? 'nothing' : JSON.stringify(value).slice(0, 80)}`,
  );
}

/** An argument that must be a whole number, at least 1. Models like to write numbers as text: that is understood. */
export function wholeNumber(given: Arguments, name: string): number | undefined {
  const value = given[name];
  if (value === undefined || value === null) return undefined;
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  if (Number.isSafeInteger(number) && (number as number) >= 1) return number as number;
  throw new ToolError(`argument '${name}' must be a whole number from 1, got ${JSON.stringify(value).slice(0, 80)}`);
}
