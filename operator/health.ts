import { createServer, type Server } from 'node:http';

/** What a process says about itself: `undefined` when it is well, else what is missing. */
export interface Health {
  /** Whether a restart would help. */
  readonly live?: () => string | undefined;
  /** Whether it can do its work. */
  readonly ready: () => string | undefined;
}

/** Port of `/healthz` and `/readyz` in every process. */
export const HEALTH_PORT = 8081;

/** Serves `/healthz` and `/readyz` until the returned server is closed. */
export async function serveHealth(health: Health, port: number = HEALTH_PORT): Promise<Server> {
  const server = createServer((request, response) => {
    const check =
      request.url === '/healthz' ? (health.live ?? well) : request.url === '/readyz' ? health.ready : undefined;
    const problem = check === undefined ? 'nothing here: ask for /healthz or /readyz' : check();
    response.writeHead(check === undefined ? 404 : problem === undefined ? 200 : 503, { 'content-type': 'text/plain' });
    response.end(`${problem ?? 'ok'}\n`);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, () => {
      resolve();
    });
  });
  return server;
}

const well = () => undefined;
