import type { RunRef } from '../bus/subjects.ts';
import { ConfigError } from '../errors.ts';
import type { LogLevel } from '../log.ts';

/** What a bridge is told by its environment. */
export interface BridgeEnv {
  readonly run: RunRef;
  readonly uid: string;
  readonly busUrl: string;
  readonly gatewayUrl: string;
  readonly logLevel: LogLevel;
}

/**
 * Reads the environment. It has its own reader, because the one of the other processes brings along what a bridge, which
 * starts with every run, can't afford to load.
 *
 * @throws ConfigError with every problem
 */
export function bridgeEnv(variables: Readonly<Record<string, string | undefined>>): BridgeEnv {
  const problems: string[] = [];
  const read = (name: string, expected: string, pattern: RegExp, fallback = ''): string => {
    const value = variables[name] ?? fallback;
    if (!pattern.test(value))
      problems.push(`${name}: expected ${expected}, got ${value === '' ? 'nothing' : `'${value}'`}`);
    return value;
  };
  const label = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
  const env = {
    run: {
      namespace: read('RUN_NAMESPACE', "the run's namespace", label),
      name: read('RUN_NAME', "the run's name", label),
    },
    uid: read('RUN_UID', "the run's UID", /^[-a-zA-Z0-9]{1,64}$/),
    busUrl: read('BUS_URL', 'a URL that starts with nats:// or tls://', /^(nats|tls):\/\/[^/]+$/),
    gatewayUrl: read('GATEWAY_URL', 'a URL that starts with http://', /^http:\/\/[^/]+\/?$/).replace(/\/$/, ''),
    logLevel: read('LOG_LEVEL', 'one of debug, info, warn, error', /^(debug|info|warn|error)$/, 'info') as LogLevel,
  };
  if (problems.length > 0)
    throw new ConfigError(`the environment of this process is wrong:\n  ${problems.join('\n  ')}`);
  return env;
}
