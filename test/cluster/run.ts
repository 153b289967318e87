import { spawn } from 'node:child_process';

/** How to run a command: where, with which environment, for how long, and who reads its standard error. */
export interface RunOptions {
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  timeoutMs?: number;
  onErrorLine?: (line: string) => void;
}

/** Runs a command to its end and returns its standard output; the error of a failed one shows its last lines. */
export async function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  const { cwd, env, timeoutMs = 600_000, onErrorLine } = options;
  const child = spawn(command, args, {
    ...(cwd === undefined ? {} : { cwd }),
    // Debian keeps nft, iptables and runc in sbin, which the PATH of an ordinary shell may lack.
    env: { ...process.env, ...env, PATH: `${process.env.PATH ?? ''}:/usr/sbin:/sbin` },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  let errors = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors = (errors + text).slice(-8000);
    if (onErrorLine) for (const line of text.split('\n')) if (line.trim()) onErrorLine(line.trim());
  });
  // Not spawn's own timeout: its timer keeps the process alive where the program cannot be started.
  const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
  const end = await new Promise<{ code: number | null; signal: string | null }>((resolve, reject) => {
    child.on('error', (error) => {
      reject(new Error(`cannot run ${command}: ${error.message}`));
    });
    child.on('close', (code, signal) => {
      resolve({ code, signal });
    });
  }).finally(() => {
    clearTimeout(timer);
  });
  if (end.code === 0) return output;
  const reason = end.signal ? `was ended by ${end.signal}` : `failed with code ${String(end.code)}`;
  const tail = (errors || output).trim().split('\n').slice(-6).join('\n');
  throw new Error(`${[command, ...args].join(' ').slice(0, 200)} ${reason}${tail ? `:\n${tail}` : ''}`);
}
