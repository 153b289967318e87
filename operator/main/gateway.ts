/** The gateway process: the one way out for model calls. See docs/architecture.md. */
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
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

const PORT = 8080;
/** How long answers under way may go on once the process is told to end. */
const GRACE_MS = 30_000;

const { level, controller } = readEnv(process.env, (env) => ({
  level: logLevel(env),
  controller: env.read('CONTROLLER_SERVICE_ACCOUNT', text),
}));
const log = createLog('gateway', level);
const kube = new KubeClient(await connect({ variables: process.env, now: () => performance.now() }), {
  fieldManager: 'sympozium-gateway',
  sleep: (ms, signal) => sleep(ms, undefined, { signal }),
});
const upstream = new Upstream(DEFAULT_TIMEOUTS);
const gateway = createGateway({
  cluster: kubeReader(kube),
  providers: createProviders(upstream),
  controller: `system:serviceaccount:${controller.replace('/', ':')}`,
  idleMs: DEFAULT_TIMEOUTS.idleMs,
  log,
});

const health = await serveHealth({ ready: () => (gateway.listening ? undefined : 'not listening, or shutting down') });
gateway.listen(PORT);
await once(gateway, 'listening');
log.info('Listening', { port: PORT });

process.once('SIGTERM', () => void shutDown('SIGTERM'));
process.once('SIGINT', () => void shutDown('SIGINT'));

async function shutDown(signal: string): Promise<void> {
  log.info('Shutting down', { signal });
  await drain(gateway, GRACE_MS);
  upstream.close();
  kube.close();
  health.close();
  health.closeAllConnections();
  log.info('Ended');
}
