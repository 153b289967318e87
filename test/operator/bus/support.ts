import { connect, type NatsConnection, nkeyAuthenticator, tokenAuthenticator } from '@nats-io/transport-node';
import { BridgeBus } from '../../../operator/bus/bridge-bus.ts';
import type { Authentication } from '../../../operator/bus/callout.ts';
import type { CheckpointMessage, ControlMessage, ResultMessage, TaskMessage } from '../../../operator/bus/messages.ts';
import { type Log, SILENT } from '../../../operator/log.ts';
import { RunBus } from '../../../operator/bus/run-bus.ts';
import { type RunRef, runInbox } from '../../../operator/bus/subjects.ts';
import { effective } from '../../support/objects.ts';
import type { NatsServer } from '../../support/nats-server.ts';

/** A log that can be asked what was said. */
export class MemoryLog implements Log {
  readonly lines: { readonly level: string; readonly message: string; readonly fields: Record<string, unknown> }[] = [];
  debug(message: string, fields: Record<string, unknown> = {}): void {
    this.lines.push({ level: 'debug', message, fields });
  }
  error(message: string, fields: Record<string, unknown> = {}): void {
    this.lines.push({ level: 'error', message, fields });
  }
  info(message: string, fields: Record<string, unknown> = {}): void {
    this.lines.push({ level: 'info', message, fields });
  }
  warn(message: string, fields: Record<string, unknown> = {}): void {
    this.lines.push({ level: 'warn', message, fields });
  }
  said(text: string): boolean {
    return this.lines.some((line) => JSON.stringify(line).includes(text));
  }
}

/** Tokens of the tests: `<namespace>/<run>` is that run's; what starts with `bad` is nobody's. */
export const reviewByName = (token: string): Promise<Authentication> => {
  const [namespace = '', name] = token.split('/');
  return Promise.resolve(
    name === undefined ? { denied: `token '${token}' is not a run's` } : { namespace, name, expiresInSeconds: 60 },
  );
};

export function runBus(
  server: NatsServer,
  signal: AbortSignal,
  log: Log = SILENT,
  authenticate = reviewByName,
): RunBus {
  return new RunBus({
    url: server.url,
    controllerSeed: server.keys.controllerSeed,
    callout: { issuerSeed: server.keys.issuerSeed, authenticate, now: Date.now },
    log,
    signal,
  });
}

export const bridgeBus = (server: NatsServer, run: RunRef, uid: string, signal: AbortSignal): Promise<BridgeBus> =>
  BridgeBus.connect({ url: server.url, run, uid, token: () => `${run.namespace}/${run.name}`, log: SILENT, signal });

/** A raw connection with a run's token: what somebody who stole it could do. */
export const thief = (server: NatsServer, run: RunRef): Promise<NatsConnection> =>
  connect({
    servers: server.url,
    authenticator: tokenAuthenticator(`${run.namespace}/${run.name}`),
    inboxPrefix: runInbox(run),
    reconnect: false,
  });

/** A raw connection as the controller, to look at what is stored. */
export const admin = (server: NatsServer): Promise<NatsConnection> =>
  connect({
    servers: server.url,
    authenticator: nkeyAuthenticator(new TextEncoder().encode(server.keys.controllerSeed)),
    maxReconnectAttempts: -1,
    reconnectTimeWait: 50,
  });

export const task = (uid: string, input = 'hello'): TaskMessage => ({
  v: 1,
  uid,
  task: { input, model: 'fake' },
  policy: effective('permissive'),
  limits: { modelCalls: 10 },
});

export const success = (uid: string, output = 'done'): ResultMessage => ({
  v: 1,
  uid,
  usage: { inputTokens: 1, outputTokens: 2, modelCalls: 1, toolCalls: 0 },
  outcome: 'succeeded',
  output,
  outputBytes: output.length,
});

/** Rules of a policy with this name, and no decision. */
export const control = (uid: string, name = 'permissive'): ControlMessage => ({
  v: 1,
  uid,
  policy: { ...task(uid).policy, name },
  decisions: [],
});

export const checkpoint = (uid: string, state: unknown): CheckpointMessage => ({
  v: 1,
  uid,
  state,
  calls: {},
  asked: [],
  usage: { inputTokens: 0, outputTokens: 0, modelCalls: 0, toolCalls: 0 },
});
