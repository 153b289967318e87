import { serveHealth } from '../health.ts';
import { KubeClient } from '../kube/client.ts';
import { connect } from '../kube/config.ts';
import { Lookup } from '../kube/lookup.ts';
import { reflect } from '../kube/reflect.ts';
import {
  INSTANCES, MUTATING_WEBHOOKS, POLICIES, RUNTIME_CLASSES, SECRETS, VALIDATING_WEBHOOKS,
} from '../kube/resources.ts'; // prettier-ignore
import { createLog } from '../log.ts';
import { sleep } from '../runtime/clock.ts';
import { runController } from '../runtime/controller.ts';
import { WorkQueue } from '../runtime/work-queue.ts';
import { webhookEnv } from '../webhook/env.ts';
import { Keeper } from '../webhook/keeper.ts';
import { webhookServer } from '../webhook/server.ts';
import { TLS_SECRET } from '../webhook/tls-secret.ts';
import { validate } from '../webhook/validate.ts';
import { start, systemClock as clock } from './process.ts';

await start('webhook', async ({ signal, variables }) => {
  const env = webhookEnv(variables);
  const log = createLog('webhook', env.logLevel);
  const kube = new KubeClient(await connect({ variables, now: clock.now }), {
    fieldManager: 'sympozium-webhook',
    sleep: (ms, stop) => sleep(clock, ms, stop),
    timeoutMs: 4_000, // the API server waits five seconds for us
  });
  const caching = { kube, clock, random: Math.random, log };
  const named = (name: string) => ({ fields: `metadata.name=${name}` });
  const caches = {
    instances: reflect(INSTANCES, caching),
    policies: reflect(POLICIES, caching),
    runtimeClasses: reflect(RUNTIME_CLASSES, caching),
    mutating: reflect(MUTATING_WEBHOOKS, caching, { selection: named(env.configuration) }),
    validating: reflect(VALIDATING_WEBHOOKS, caching, { selection: named(env.configuration) }),
    secret: reflect(SECRETS, caching, { selection: { namespace: env.namespace, ...named(TLS_SECRET) } }),
  };
  const missing = () => {
    const names = Object.entries(caches).flatMap(([name, { synced }]) => (synced ? [] : [name]));
    return names.length === 0 ? undefined : `not listed yet: ${names.join(', ')}`;
  };
  const lookup = new Lookup(kube, caches, env.namespace);
  const runtimeClassExists = async (name: string) =>
    (caches.runtimeClasses.get(`/${name}`) ?? (await kube.get(RUNTIME_CLASSES, { name }))) !== undefined;

  const host = `${env.service}.${env.namespace}.svc`;
  const keeper = new Keeper({
    ...caches,
    kube,
    namespace: env.namespace,
    hosts: [host, `${host}.cluster.local`],
    configuration: env.configuration,
    clock,
    log,
    serve: (serving) =>
      new Promise((resolve, reject) => {
        const judge = { validate: validate.bind(undefined, { lookup, runtimeClassExists }), notReady: missing, log };
        const server = webhookServer(serving, judge).once('error', reject);
        server.listen(env.port, () => {
          resolve(server);
        });
      }),
  });
  const queue = new WorkQueue(clock);
  for (const cache of [caches.mutating, caches.validating, caches.secret]) {
    cache.onChange(() => {
      queue.add('certificates');
    });
  }
  const health = await serveHealth(
    { ready: () => (signal.aborted ? 'shutting down' : (missing() ?? keeper.problem)) },
    env.healthPort,
  );
  const running = Object.values(caches).map((cache) => cache.run(signal));
  await Promise.race([Promise.all(Object.values(caches).map((cache) => cache.whenSynced())), ...running]);
  queue.add('certificates');
  signal.addEventListener('abort', () => {
    queue.close();
  });
  await runController({ name: 'certificates', queue, reconcile: () => keeper.reconcile(), workers: 1, log });
  await sleep(clock, 3000); // until nobody is sent here any more
  keeper.close();
  await Promise.all(running);
  health.close();
  kube.close();
});
