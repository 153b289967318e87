import packageJson from '../../package.json' with { type: 'json' };
import { runCli, type CliCluster } from '../cli/program.ts';
import type { Paint } from '../cli/render.ts';
import { KubeClient } from '../kube/client.ts';
import { fromKubeconfig } from '../kube/config.ts';
import { sleep } from '../runtime/clock.ts';
import { systemClock as clock } from './process.ts';

/** Nobody waits longer for an answer at a prompt. */
const TIMEOUT_MS = 10_000;

const CODES = { bold: 1, red: 31, green: 32, yellow: 33 } as const;
const colours = process.stdout.isTTY && (process.env.NO_COLOR ?? '') === '';
const paint: Paint = (colour, text) => (colours ? `\x1b[${CODES[colour]}m${text}\x1b[0m` : text);

async function connect(context?: string): Promise<CliCluster> {
  const connection = await fromKubeconfig(undefined, context);
  const kube = new KubeClient(connection, {
    fieldManager: 'sympozium',
    sleep: (ms, signal) => sleep(clock, ms, signal),
    timeoutMs: TIMEOUT_MS,
  });
  return {
    kube,
    namespace: connection.namespace,
    close: () => {
      kube.close();
    },
  };
}

process.exitCode = await runCli(process.argv.slice(2), {
  version: packageJson.version,
  connect,
  write: (text) => process.stdout.write(text),
  complain: (text) => process.stderr.write(text),
  paint,
});
