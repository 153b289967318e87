import { readFileSync } from 'node:fs';
import { runBridge } from '../bridge/bridge.ts';
import { bridgeEnv } from '../bridge/env.ts';
import { lineLog } from '../line-log.ts';
import { ConfigError, messageOf } from '../errors.ts';

const TOKENS = '/var/run/secrets/sympozium';
const date = (): Date => new Date();
const write = (line: string): void => void process.stderr.write(line);

const stop = new AbortController();
for (const event of ['SIGTERM', 'SIGINT'] as const) {
  process.once(event, () => {
    stop.abort();
  });
}

try {
  const env = bridgeEnv(process.env);
  await runBridge({
    ...env,
    mailboxes: '/mailboxes',
    token: (audience) => readFileSync(`${TOKENS}/${audience}`, 'utf8').trim(),
    port: 8181,
    log: lineLog('bridge', env.logLevel, write, date),
    date,
    signal: stop.signal,
  });
  process.exit(0);
} catch (error) {
  const log = lineLog('bridge', 'info', write, date);
  if (error instanceof ConfigError) log.error('Can not start', { why: error.message });
  else log.error('Ended by an error', { error, why: messageOf(error) });
  process.exit(1);
}
