import { spawn, type ChildProcess } from 'node:child_process';
import { Output } from './output.ts';

/** How long output is read on after a program ended: what it left in the background may hold its pipes open. */
const LINGER_MS = 200;

/** What a program is started with. */
export interface ChildOptions {
  readonly program: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly variables: Readonly<Record<string, string | undefined>>;
  readonly timeoutMs: number;
  /** Kills a process and all that it started. */
  readonly killGroup: (pid: number) => void;
  /** Ends the program. */
  readonly signal: AbortSignal;
}

/** How a program ended; `why` when it was ended by us. */
export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly why?: 'timeout' | 'cancelled';
}

/**
 * Runs a program without a shell and without input, in a process group of its own, until it ends or its time is over.
 *
 * @throws Error when it can't be started
 */
export async function runChild(options: ChildOptions): Promise<{ readonly ended: Ended; readonly output: Output }> {
  const child = spawn(options.program, options.args, {
    cwd: options.cwd,
    env: { ...options.variables },
    detached: true, // a group of its own, so that all it starts ends with it
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = new Output();
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output.add(chunk);
    });
  }
  return { ended: await end(child, options), output };
}

function end(child: ChildProcess, { timeoutMs, killGroup, signal }: ChildOptions): Promise<Ended> {
  return new Promise((resolve, reject) => {
    let why: Ended['why'];
    const kill = (because: Ended['why']) => (): void => {
      why ??= because;
      if (child.pid !== undefined) killGroup(child.pid);
    };
    const timer = setTimeout(kill('timeout'), timeoutMs);
    const cancel = kill('cancelled');
    signal.addEventListener('abort', cancel, { once: true });
    let lingering: NodeJS.Timeout | undefined;
    const stopWaiting = (): void => {
      clearTimeout(timer);
      clearTimeout(lingering);
      signal.removeEventListener('abort', cancel);
    };
    const finish = (): void => {
      stopWaiting();
      child.stdout?.destroy();
      child.stderr?.destroy();
      resolve({ code: child.exitCode, signal: child.signalCode, ...(why === undefined ? {} : { why }) });
    };
    child.on('error', (error) => {
      stopWaiting();
      reject(error);
    });
    child.on('exit', () => (lingering = setTimeout(finish, LINGER_MS)));
    child.on('close', finish);
    if (signal.aborted) cancel();
  });
}
