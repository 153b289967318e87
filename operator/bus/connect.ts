import { connect, type NatsConnection, nkeyAuthenticator, tokenAuthenticator } from '@nats-io/transport-node';
import { setTimeout as sleep } from 'node:timers/promises';
import { bytes } from './keys.ts';
import type { Log } from '../log.ts';

export type { NatsConnection } from '@nats-io/transport-node';

/** Who connects: the controller by its key, a bridge by a token that is asked for anew at every (re)connect. */
export type Credentials = { readonly seed: string } | { readonly token: () => string };

/** How to reach the bus. */
export interface ConnectOptions {
  readonly url: string;
  /** Shown by NATS' monitoring. */
  readonly name: string;
  readonly credentials: Credentials;
  readonly inboxPrefix?: string;
  readonly log: Log;
  readonly signal: AbortSignal;
  /** Pause between attempts; 250 ms. */
  readonly retryMs?: number;
}

/**
 * Connects to the bus, and stays connected until `close`: neither a bus that is down, at start or later, nor a refused
 * token ends it. Rejects only when the signal aborts before the first connection stands.
 */
export async function connectBus(options: ConnectOptions): Promise<NatsConnection> {
  const { url, log, signal, retryMs = 250 } = options;
  for (let attempt = 1; ; attempt += 1) {
    signal.throwIfAborted();
    try {
      const connection = await dial(options, retryMs);
      if (signal.aborted) await connection.close();
      signal.throwIfAborted();
      log.info('Connected to the bus', { url, attempt });
      void report(connection, log);
      return connection;
    } catch (error) {
      signal.throwIfAborted();
      // One line per second at most: a bus that is down for an hour is no reason to fill a disk.
      if (attempt % 4 === 1) log.warn('Bus refused the connection, trying again', { url, attempt, because: why(error) });
      await sleep(retryMs, undefined, { signal });
    }
  }
}

function dial(options: ConnectOptions, retryMs: number): Promise<NatsConnection> {
  const { credentials } = options;
  return connect({
    servers: options.url,
    name: options.name,
    authenticator:
      'seed' in credentials ? nkeyAuthenticator(bytes(credentials.seed)) : tokenAuthenticator(patient(credentials.token)),
    ...(options.inboxPrefix === undefined ? {} : { inboxPrefix: options.inboxPrefix }),
    maxReconnectAttempts: -1,
    reconnectTimeWait: retryMs,
    ignoreAuthErrorAbort: true, // the token rotates and the callout restarts: a refusal is not final
    timeout: 10_000,
    pingInterval: 20_000,
  });
}

/** The client gives up for good when its authenticator throws, so an unreadable token becomes one that is refused. */
const patient = (token: () => string) => (): string => {
  try {
    return token();
  } catch {
    return 'unreadable';
  }
};

async function report(connection: NatsConnection, log: Log): Promise<void> {
  for await (const status of connection.status()) {
    if (status.type === 'disconnect') log.warn('Lost the connection to the bus');
    else if (status.type === 'reconnect') log.info('Connected to the bus again');
    else if (status.type === 'error') log.warn('Bus reported an error', { because: why(status.error) });
  }
}

/** What went wrong, in one line; the client's own errors may come without a message. */
export const why = (error: unknown): string =>
  error instanceof Error && error.message !== '' ? error.message : `no answer (${String(error)})`;
