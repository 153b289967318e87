import { createServer, type Server } from 'node:http';
import { messageOf } from './errors.ts';

/** What a process says about itself: `undefined` when it is well, else what is missing. */
export interface Health {
  /** Whether a restart would help. */
  readonly live?: () => string | undefined;
  /** Whether it can do its work. */
  readonly ready: () => string | undefined;
  /** What `/metrics` answers, in Prometheus' text format. Left out: there is none. */
  readonly metrics?: () => Promise<string>;
}

/** Port of `/healthz`, `/readyz` and `/metrics` in every process. */
export const HEALTH_PORT = 8081;

/** The version tells Prometheus which of its text formats it is. */
const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** Serves `/healthz`, `/readyz` and `/metrics` until the returned server is closed. */
export async function serveHealth(health: Health, port: number = HEALTH_PORT): Promise<Server> {
  const server = createServer((request, response) => {
    const { status, text, type = 'text/plain' } = answer(health, request.url?.split('?')[0]);
    void text.then(
      (body) => response.writeHead(status, { 'content-type': type }).end(body),
      (error: unknown) =>
        response.writeHead(500, { 'content-type': 'text/plain' }).end(`can't be told now: ${messageOf(error)}\n`),
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, () => {
      resolve();
    });
  });
  return server;
}

interface Answer {
  readonly status: number;
  readonly text: Promise<string>;
  readonly type?: string;
}

function answer({ live, ready, metrics }: Health, path: string | undefined): Answer {
  if (path === '/healthz') return verdict(live?.());
  if (path === '/readyz') return verdict(ready());
  if (path === '/metrics' && metrics !== undefined) return { status: 200, text: metrics(), type: METRICS_TYPE };
  return { status: 404, text: Promise.resolve('nothing here: ask for /healthz, /readyz or /metrics\n') };
}

const verdict = (problem: string | undefined): Answer => ({
  status: problem === undefined ? 200 : 503,
  text: Promise.resolve(`${problem ?? 'ok'}\n`),
});
