import { execFile } from 'node:child_process';
import type { Variables } from '../env.ts';

/** What a program printed, and its exit code. */
export interface Finished {
  readonly code: number;
  readonly output: string;
  readonly errors: string;
}

const MAX_BYTES = 64 * 1024 * 1024;

/**
 * Runs a program to its end, without a shell and without input.
 *
 * @throws Error when it can't be started, or prints more than 64 MiB
 */
export function runProgram(
  program: string,
  args: readonly string[],
  { cwd, variables }: { readonly cwd?: string; readonly variables: Variables },
): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const options = { cwd, env: { ...variables }, maxBuffer: MAX_BYTES };
    const child = execFile(program, args, options, (error, output, errors) => {
      const code = error === null ? 0 : error.code;
      if (typeof code === 'number') resolve({ code, output, errors });
      else if (code === 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER') {
        reject(new Error(`${program} printed more than 64 MiB: ask for less at once`));
      } else reject(new Error(`'${program}' could not be run: ${error?.message ?? 'it was killed'}`));
    });
    child.stdin?.end();
  });
}
