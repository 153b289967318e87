import { pino, type DestinationStream } from 'pino';

/** Levels a process can log at. */
export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** What a log line says beside its message. Never a prompt, an output or a secret. */
export type LogFields = Readonly<Record<string, unknown>>;

/** Where a part of a process writes what it did: a constant message, and pairs for the rest. */
export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

/** A log of JSON lines; an `error` field is written with its stack and its causes. */
export function createLog(process: string, level: LogLevel, destination?: DestinationStream): Log {
  const options = {
    level,
    base: { process },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    serializers: { error: pino.stdSerializers.err },
    messageKey: 'message',
  };
  const logger = destination === undefined ? pino(options) : pino(options, destination);
  const at = (name: LogLevel) => (message: string, fields?: LogFields) => {
    logger[name](fields ?? {}, message);
  };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

const nothing = () => undefined;

/** A log that says nothing. */
export const SILENT: Log = { debug: nothing, info: nothing, warn: nothing, error: nothing };
