import { messageOf } from '../errors.ts';
import { lineLog } from '../line-log.ts';
import type { Log, LogLevel } from '../log.ts';

/** What a program of a run's Pod is given by the operating system. */
export interface UntrustedContext {
  readonly log: Log;
  /** Fires at SIGTERM and SIGINT: then everything must come to its end. */
  readonly signal: AbortSignal;
  readonly variables: NodeJS.ProcessEnv;
  /** Directory that the Pod starts the program in. */
  readonly workspace: string;
  /** Ends a process that was started in a group of its own, with all that it has started. */
  readonly killGroup: (pid: number) => void;
}

/** Runs the program of an untrusted container to its end. Any error ends it with exit code 1. */
export async function startUntrusted(
  name: string,
  level: LogLevel,
  main: (context: UntrustedContext) => Promise<void>,
): Promise<void> {
  const log = lineLog(
    name,
    level,
    (line) => void process.stderr.write(line),
    () => new Date(),
  );
  const stop = new AbortController();
  for (const event of ['SIGTERM', 'SIGINT'] as const) {
    process.once(event, () => {
      stop.abort();
    });
  }
  try {
    await main({ log, signal: stop.signal, variables: process.env, workspace: process.cwd(), killGroup });
    process.exit(0);
  } catch (error) {
    log.error('Ended by an error', { error, why: messageOf(error) });
    process.exit(1);
  }
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    return; // ended by itself just now
  }
}
