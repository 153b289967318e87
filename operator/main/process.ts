import { ConfigError } from '../errors.ts';
import { createLog } from '../log.ts';
import type { Variables } from '../env.ts';
import type { Clock } from '../runtime/clock.ts';

/** The real time. */
export const systemClock: Clock = {
  date: () => new Date(),
  now: () => performance.now(),
  after(ms, callback) {
    const timer = setTimeout(callback, ms);
    return () => {
      clearTimeout(timer);
    };
  },
};

/** What a process is given by the operating system. */
export interface ProcessContext {
  /** Fires at SIGTERM and SIGINT: then everything must come to its end. */
  readonly signal: AbortSignal;
  readonly variables: Variables;
}

/**
 * Runs a process until it ends by itself or is told to; then it may take `patienceMs` more. Any error ends it with
 * exit code 1.
 */
export async function start(
  name: string,
  main: (context: ProcessContext) => Promise<void>,
  patienceMs = 20_000,
): Promise<void> {
  const stop = new AbortController();
  for (const event of ['SIGTERM', 'SIGINT'] as const) {
    process.once(event, () => {
      stop.abort();
      setTimeout(() => process.exit(1), patienceMs).unref();
    });
  }
  try {
    await main({ signal: stop.signal, variables: process.env });
    process.exit(0);
  } catch (error) {
    const log = createLog(name, 'info');
    if (error instanceof ConfigError) log.error('Can not start', { why: error.message });
    else log.error('Ended by an error', { error });
    process.exit(1);
  }
}
