/** The gateway process: the one way out, for model calls and for fetches. See docs/architecture.md. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { list, logLevel, readEnv, text, type Parser } from '../env.ts';
import { GatewayCaches, lookupIn } from '../gateway/caches.ts';
import { drain } from '../gateway/drain.ts';
import { parseNetworks, type Networks } from '../gateway/fetch/address.ts';
import { Fetcher } from '../gateway/fetch/fetcher.ts';
import { Guard } from '../gateway/fetch/guard.ts';
import { createResolve } from '../gateway/fetch/resolve.ts';
import { kubeReader } from '../gateway/kube-reader.ts';
import { ownAddresses } from '../gateway/own-addresses.ts';
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

/** Networks of Pods and Services, for clusters whose addresses are not of a private range. */
const networks: Parser<Networks> = {
  expected: "a list of networks such as '203.0.113.0/24,2001:db8::/32'",
  parse(value) {
    try {
      return parseNetworks(list.parse(value) ?? []);
    } catch {
      return undefined;
    }
  },
};

const main: Parameters<typeof start>[1] = async ({ signal, variables }) => {
  const env = readEnv(variables, (reader) => ({
    level: logLevel(reader),
    namespace: reader.read('POD_NAMESPACE', text),
    controller: reader.read('CONTROLLER_SERVICE_ACCOUNT', text),
    cluster: reader.read('CLUSTER_NETWORKS', networks, ''),
  }));
  const metrics = exportMetrics('gateway', process);
  const log = createLog('gateway', env.level);
  const connection = await connect({ variables, now: clock.now });
  const kube = new KubeClient(connection, {
    fieldManager: 'sympozium-gateway',
    sleep: (ms, stop) => sleep(clock, ms, stop),
  });
  const upstream = new Upstream(DEFAULT_TIMEOUTS);
  const caches = new GatewayCaches({ kube, clock, random: Math.random, log });
  const reflecting = caches.run(signal);
  const guard = new Guard({
    resolve: createResolve(readFileSync('/etc/resolv.conf', 'utf8')),
    ownAt: ownAddresses({
      kube,
      namespace: env.namespace,
      apiServer: [connection.server.hostname.replace(/^\[(.*)\]$/, '$1')],
      now: clock.now,
    }),
    cluster: env.cluster,
  });
  const gateway = createGateway({
    cluster: kubeReader(kube, lookupIn(kube, caches, env.namespace)),
    providers: createProviders(upstream),
    fetcher: new Fetcher({ guard }),
    controller: `system:serviceaccount:${env.controller.replace('/', ':')}`,
    idleMs: DEFAULT_TIMEOUTS.idleMs,
    log,
    date: clock.date,
  });
  const health = await serveHealth({
    ready: () => (gateway.listening ? caches.missing : 'not listening, or shutting down'),
    metrics,
  });
  gateway.listen(PORT);
  await once(gateway, 'listening');
  log.info('Listening', { port: PORT });

  if (!signal.aborted) await once(signal, 'abort');
  log.info('Shutting down');
  await drain(gateway, GRACE_MS);
  upstream.close();
  await reflecting;
  kube.close();
  health.close();
};

await start('gateway', main, GRACE_MS + 5_000);
