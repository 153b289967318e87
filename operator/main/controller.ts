import { hostname } from 'node:os';
import { authenticate } from '../controllers/authenticate.ts';
import { ensureBusSecret } from '../controllers/bus-secret.ts';
import { Caches } from '../controllers/caches.ts';
import { controllerEnv } from '../controllers/env.ts';
import { lead } from '../controllers/lead.ts';
import { RunBus } from '../bus/run-bus.ts';
import { serveHealth } from '../health.ts';
import { KubeClient } from '../kube/client.ts';
import { connect } from '../kube/config.ts';
import { Elector } from '../kube/lease.ts';
import { ownAccount } from '../kube/own-account.ts';
import { createLog } from '../log.ts';
import { exportMetrics } from '../metrics/exporter.ts';
import { sleep } from '../runtime/clock.ts';
import { start, systemClock as clock } from './process.ts';

await start('controller', async ({ signal, variables }) => {
  const env = controllerEnv(variables);
  const metrics = exportMetrics('controller', process);
  const log = createLog('controller', env.logLevel);
  const connection = await connect({ variables, now: clock.now });
  const owner = await ownAccount(connection);
  const kube = new KubeClient(connection, {
    fieldManager: 'sympozium-controller',
    sleep: (ms, stop) => sleep(clock, ms, stop),
  });
  const caches = new Caches({ kube, clock, random: Math.random, log });
  let bus: RunBus | undefined;
  const health = await serveHealth({
    ready: () => caches.missing ?? (bus === undefined ? 'the Secret of the bus is not read yet' : undefined),
    metrics,
  });
  const caching = caches.run(signal);

  const secret = await retried(() => ensureBusSecret(kube, env.namespace, owner));
  if (secret !== undefined) {
    await caches.whenSynced();
    bus = new RunBus({
      url: env.busUrl,
      controllerSeed: secret['controller.seed'],
      replicas: env.busReplicas,
      log,
      signal,
      callout: {
        issuerSeed: secret['issuer.seed'],
        authenticate: authenticate({
          kube,
          clock,
          runs: caches.runs,
          jobs: caches.jobs,
          instances: caches.instances,
          deployments: caches.endpointDeployments,
        }),
        now: () => clock.date().getTime(),
      },
    });
    const elector = new Elector({
      kube,
      clock,
      namespace: env.namespace,
      name: 'sympozium-controller',
      identity: env.podName ?? hostname(),
      owner,
      onError: (error) => {
        log.warn('Could not reach the Lease, trying again', { error });
      },
    });
    log.info('Waiting to lead');
    if (await elector.acquire(signal)) {
      log.info('Leading');
      const work = lead({ kube, caches, bus, clock, log, env }, signal);
      await Promise.all([work, elector.hold(signal, work)]);
    }
  }
  await caching;
  health.close();
  kube.close();

  /** At the first start the API server may refuse us for a moment, until our permissions are known. */
  async function retried<T>(action: () => Promise<T>): Promise<T | undefined> {
    while (!signal.aborted) {
      try {
        return await action();
      } catch (error) {
        log.warn('Could not read the Secret of the bus, trying again', { error });
        await sleep(clock, 1000, signal);
      }
    }
    return undefined;
  }
});
