import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** Where a program runs: its folder, or that and variables beside those of this process. */
export type Place = string | { readonly cwd: string; readonly env: NodeJS.ProcessEnv };

/** Runs a program to its end, and gives what it printed; the error of a failed one holds what it said. */
export async function program(place: Place, name: string, ...args: readonly string[]): Promise<string> {
  const { cwd, env } = typeof place === 'string' ? { cwd: place, env: {} } : place;
  try {
    const options = { cwd, env: { ...process.env, ...env }, maxBuffer: 64 * 1024 * 1024 };
    const { stdout } = await promisify(execFile)(name, args, options);
    return stdout;
  } catch (error) {
    const { code, stderr = '', message } = error as Error & { code?: unknown; stderr?: string };
    if (code === 'ENOENT') throw new Error(`${name} is missing: put it on the PATH`, { cause: error });
    const said = stderr.trim() || message;
    throw new Error(`${[name, ...args.slice(0, 2)].join(' ')} failed: ${said}`, { cause: error });
  }
}
