/** The gateway process: the one way out for model calls. See docs/architecture.md. */
import { once } from 'node:events';
import { logLevel, readEnv, text } from '../env.ts';
import { drain } from '../gateway/drain.ts';
import { kubeReader } from '../gateway/kube-reader.ts';
import { createProviders } from '../gateway/providers.ts';
import { createGateway } from '../gateway/server.ts';
import { DEFAULT_TIMEOUTS, Upstream } from '../gateway/upstream.ts';
import { serveHealth } from '../health.ts';
import { KubeClient } from '../kube/client.ts';
import { connect } from '../kube/config.ts';
import { createLog } from '../log.ts';
import { exportMetrics } from '../metrics/exporter.ts';
import { sleep } from '../runtime/clock.ts';
import { start, systemClock as clock } from './process.ts';

const PORT = 8080;
/** How long answers under way may go on once the process is told to end. */
const GRACE_MS = 30_000;

const main: Parameters<typeof start>[1] = async ({ signal, variables }) => {
  const env = readEnv(variables, (reader) => ({
    level: logLevel(reader),
    controller: reader.read('CONTROLLER_SERVICE_ACCOUNT', text),
  }));
  const metrics = exportMetrics('gateway', process);
  const log = createLog('gateway', env.level);
  const kube = new KubeClient(await connect({ variables, now: clock.now }), {
    fieldManager: 'sympozium-gateway',
    sleep: (ms, stop) => sleep(clock, ms, stop),
  });
  const upstream = new Upstream(DEFAULT_TIMEOUTS);
  const gateway = createGateway({
    cluster: kubeReader(kube),
    providers: createProviders(upstream),
    controller: `system:serviceaccount:${env.controller.replace('/', ':')}`,
    idleMs: DEFAULT_TIMEOUTS.idleMs,
    log,
  });
  const health = await serveHealth({
    ready: () => (gateway.listening ? undefined : 'not listening, or shutting down'),
    metrics,
  });
  gateway.listen(PORT);
  await once(gateway, 'listening');
  log.info('Listening', { port: PORT });

  if (!signal.aborted) await once(signal, 'abort');
  log.info('Shutting down');
  await drain(gateway, GRACE_MS);
  upstream.close();
  kube.close();
  health.close();
};

await start('gateway', main, GRACE_MS + 5_000);
