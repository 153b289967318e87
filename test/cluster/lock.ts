import { createServer } from 'node:net';
import type { Server } from 'node:net';
import type { Progress } from './progress.ts';
import { waitFor } from './wait.ts';

const timeoutMs = 3_600_000;

/** An abstract socket can have one owner on the machine and goes when its process does: no stale lock can be left. */
function tryLock(name: string): Promise<Server | undefined> {
  const server = createServer();
  return new Promise((resolve) => {
    server.on('error', () => {
      resolve(undefined);
    });
    server.listen(`\0sympozium-${name}`, () => {
      resolve(server);
    });
  });
}

/** Runs `work` while no other process of this machine holds the lock of this name, waiting for it where need be. */
export async function withLock<T>(name: string, progress: Progress, work: () => Promise<T>): Promise<T> {
  let lock = await tryLock(name);
  lock ??= await progress.step(`Waiting for another process that holds the ${name} lock`, () =>
    waitFor(
      () => tryLock(name),
      timeoutMs,
      () => `another process has held the ${name} lock for an hour`,
    ),
  );
  try {
    return await work();
  } finally {
    lock.close();
  }
}
