import { connect, type NatsConnection, nkeyAuthenticator, tokenAuthenticator } from '@nats-io/transport-node';
import { setTimeout as sleep } from 'node:timers/promises';
import { bytes } from './seed.ts';
import { messageOf } from '../errors.ts';
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
  /**
   * Pause before connecting again. The controller's is shorter than the bridges', because NATS can't let them in before
   * the controller is there to be asked, and keeps those that come too early waiting.
   */
  readonly reconnectMs: number;
  /** Told whenever the connection is lost, and when it stands again. */
  readonly onChange?: (connected: boolean) => void;
}

/**
 * Connects to the bus, and stays connected until `close`: neither a bus that is down, at start or later, nor a refused
 * token ends it. Rejects only when the signal aborts before the first connection stands.
 */
export async function connectBus(options: ConnectOptions): Promise<NatsConnection> {
  const { url, log, signal } = options;
  for (let attempt = 1; ; attempt += 1) {
    signal.throwIfAborted();
    try {
      const connection = await dial(options);
      if (signal.aborted) await connection.close();
      signal.throwIfAborted();
      log.info('Connected to the bus', { url, attempt });
      options.onChange?.(true);
      void report(connection, options);
      return connection;
    } catch (error) {
      signal.throwIfAborted();
      // A bus that is down for an hour is no reason to fill a disk.
      if (attempt % 50 === 1)
        log.warn('Bus refused the connection, trying again', { url, attempt, because: messageOf(error) });
      await sleep(FIRST_RETRY_MS, undefined, { signal });
    }
  }
}

/** Pause between attempts to get the first connection: a run that just starts is waiting for it. */
const FIRST_RETRY_MS = 100;

function dial(options: ConnectOptions): Promise<NatsConnection> {
  const { credentials } = options;
  return connect({
    servers: options.url,
    name: options.name,
    authenticator:
      'seed' in credentials
        ? nkeyAuthenticator(bytes(credentials.seed))
        : tokenAuthenticator(patient(credentials.token)),
    ...(options.inboxPrefix === undefined ? {} : { inboxPrefix: options.inboxPrefix }),
    maxReconnectAttempts: -1,
    reconnectTimeWait: options.reconnectMs,
    reconnectJitter: options.reconnectMs,
    ignoreAuthErrorAbort: true, // the token rotates and the callout restarts: a refusal is not final
    // A bridge waits for the auth callout; nobody else has anything to wait for.
    timeout: 'seed' in credentials ? 3_000 : 10_000,
    // Some networks drop the packets of a Service without ready Pods, and a connection that stood then is dead for long.
    pingInterval: 5_000,
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

async function report(connection: NatsConnection, { log, onChange }: ConnectOptions): Promise<void> {
  for await (const status of connection.status()) {
    if (status.type === 'disconnect' || status.type === 'reconnect') onChange?.(status.type === 'reconnect');
    if (status.type === 'disconnect') log.warn('Lost the connection to the bus');
    else if (status.type === 'reconnect') log.info('Connected to the bus again');
    else if (status.type === 'error') log.warn('Bus reported an error', { because: messageOf(status.error) });
  }
}
