import { setTimeout as sleep } from 'node:timers/promises';

/** Waits until `probe` gives a value other than `undefined` or `false`, or throws when it takes too long; asks anew after `everyMs`. */
export async function eventually<T>(
  probe: () => T | Promise<T>,
  withinMs = 10_000,
  everyMs = 5,
): Promise<Exclude<T, undefined | false>> {
  const end = Date.now() + withinMs;
  for (;;) {
    const value = await probe();
    if (value !== undefined && value !== false) return value as Exclude<T, undefined | false>;
    if (Date.now() > end) throw new Error(`still not so after ${withinMs} ms: ${probe.toString()}`);
    await sleep(everyMs);
  }
}
