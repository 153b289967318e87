/** Time, as the process sees it: injected, so that tests own it. */
export interface Clock {
  /** Wall clock, for timestamps in objects. */
  readonly date: () => Date;
  /** Milliseconds that never go back, for everything that is measured. */
  readonly now: () => number;
  /** Calls back after `ms`; returns how to cancel. */
  readonly after: (ms: number, callback: () => void) => () => void;
}

/** Waits for `ms`, or until the signal: then it resolves early. */
export function sleep(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted === true) {
      resolve();
      return;
    }
    const done = () => {
      cancel();
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const cancel = clock.after(ms, done);
    signal?.addEventListener('abort', done, { once: true });
  });
}

/** Milliseconds before the next attempt: doubling from `first` to `most`, less up to half by chance. */
export function backoffMs(attempt: number, options: { first: number; most: number; random: () => number }): number {
  const full = Math.min(options.most, options.first * 2 ** Math.min(attempt, 20));
  return full * (1 - options.random() / 2);
}

/** A timestamp as Kubernetes writes it: whole seconds. */
export const timestamp = (date: Date): string => date.toISOString().replace(/\.\d+Z$/, 'Z');
