import type { Log, LogFields, LogLevel } from './log.ts';

const LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];

/** A log of the same JSON lines as the other processes write, without what they load for it: a bridge starts often. */
export function lineLog(process: string, least: LogLevel, write: (line: string) => void, date: () => Date): Log {
  const at = (level: LogLevel) => (message: string, fields?: LogFields) => {
    if (LEVELS.indexOf(level) < LEVELS.indexOf(least)) return;
    write(`${JSON.stringify({ level, time: date().toISOString(), process, ...fields, message }, plain)}\n`);
  };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

/** Errors have no enumerable fields, and would be written as {}. */
const plain = (_: string, value: unknown): unknown => (value instanceof Error ? (value.stack ?? value.message) : value);
