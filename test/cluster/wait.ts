import { setTimeout as sleep } from 'node:timers/promises';

/** Asks again until `probe` returns something other than undefined; after the timeout it throws what `failure` says. */
export async function waitFor<T>(
  probe: () => T | undefined | Promise<T | undefined>,
  timeoutMs: number,
  failure: () => string,
): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const result = await probe();
    if (result !== undefined) return result;
    if (Date.now() > deadline) throw new Error(failure());
    await sleep(100);
  }
}
