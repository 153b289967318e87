import type { Server } from 'node:http';

const SWEEP_MS = 100;

/**
 * Closes a server: no new connections, idle ones are closed, answers under way end by themselves; those that have not
 * within `graceMs` are cut.
 */
export async function drain(server: Server, graceMs: number): Promise<void> {
  const cut = setTimeout(() => {
    server.closeAllConnections();
  }, graceMs);
  // A connection whose answer began before the end stays open behind it: nobody else closes it in time.
  const sweep = setInterval(() => {
    server.closeIdleConnections();
  }, SWEEP_MS);
  await new Promise<void>((resolve) => {
    server.close(() => {
      resolve();
    });
  });
  clearInterval(sweep);
  clearTimeout(cut);
}
