import { Command, CommanderError, InvalidArgumentError } from 'commander';
import type { Variables } from '../env.ts';
import { messageOf } from '../errors.ts';

/** What the program of a tool is given from outside. */
export interface ToolContext {
  readonly variables: Variables;
  readonly now: () => Date;
  /** Where the program is started: the sidecar's own files. */
  readonly workspace: string;
  /** Writes to standard output; a line break comes behind it. */
  readonly print: (text: string) => void;
}

/** Defines a program: its commands print through the context and throw what goes wrong. */
export type ToolProgram = (program: Command, context: ToolContext) => void;

/** What the caller did wrong: exit code 2, like a flag that doesn't exist. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/**
 * Runs one command of a program.
 *
 * @param args what stands behind the program's name
 * @param complain gets one sentence when it failed
 * @returns the exit code: 0, 1 when it failed, 2 when it was called wrongly
 */
export async function runTool(
  name: string,
  define: ToolProgram,
  args: readonly string[],
  context: ToolContext & { readonly complain: (sentence: string) => void },
): Promise<number> {
  const program = new Command(name).exitOverride().configureOutput({
    writeOut: (text) => {
      context.print(text.trimEnd());
    },
    writeErr: () => undefined, // said below, once
  });
  define(program, context);
  try {
    await program.parseAsync(args, { from: 'user' });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0;
    context.complain(messageOf(error).replace(/^error: /, '').replace(/^\(outputHelp\)$/, 'no command was named; --help lists them')); // prettier-ignore
    return error instanceof CommanderError || error instanceof UsageError ? 2 : 1;
  }
}

/** The sentence of what is behind an error: `fetch` wraps why a connection failed, and others wrap that. */
export function rootOf(error: unknown): string {
  const { cause } = error as Error;
  return cause === undefined ? messageOf(error) : rootOf(cause);
}

/** A command of a program. */
export const command = (program: Command, name: string, description: string): Command =>
  program.command(name).description(description);

/** A command that works on one repository. */
export const repositoryCommand = (program: Command, name: string, description: string): Command =>
  command(program, name, description).requiredOption('--repository <owner/name>', 'repository to work on');

const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600 };

/** Reads a duration of one number and one unit, such as `90s`, into seconds. */
export function seconds(text: string): number {
  const match = /^([1-9][0-9]{0,4})([smh])$/.exec(text);
  if (match === null) throw new InvalidArgumentError("expected a number and s, m or h, such as '30m'");
  const [, count, unit = ''] = match;
  return Number(count) * (SECONDS[unit] ?? 1);
}

/** Reads a whole number of at least 1. */
export function count(text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1) throw new InvalidArgumentError('expected a whole number from 1');
  return number;
}

/** Reads `true` or `false`. */
export function yesOrNo(text: string): boolean {
  if (text !== 'true' && text !== 'false') throw new InvalidArgumentError('expected true or false');
  return text === 'true';
}

/** Reads an RFC 3339 time. */
export function instant(text: string): Date {
  const date = new Date(text);
  if (Number.isNaN(date.getTime())) throw new InvalidArgumentError('expected a time such as 2026-05-01T12:00:00Z');
  return date;
}
