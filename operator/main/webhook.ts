import { serveHealth } from '../health.ts';
import { KubeClient } from '../kube/client.ts';
import { connect } from '../kube/config.ts';
import { ownAccount } from '../kube/own-account.ts';
import { createLog } from '../log.ts';
import { exportMetrics } from '../metrics/exporter.ts';
import { sleep } from '../runtime/clock.ts';
import { webhookEnv } from '../webhook/env.ts';
import { runWebhook } from '../webhook/run.ts';
import { start, systemClock as clock } from './process.ts';

await start('webhook', async ({ signal, variables }) => {
  const env = webhookEnv(variables);
  const metrics = exportMetrics('webhook', process);
  const log = createLog('webhook', env.logLevel);
  const connection = await connect({ variables, now: clock.now });
  const owner = await ownAccount(connection);
  const kube = new KubeClient(connection, {
    fieldManager: 'sympozium-webhook',
    sleep: (ms, stop) => sleep(clock, ms, stop),
    timeoutMs: 4_000, // the API server waits five seconds for us
  });
  const host = `${env.service}.${env.namespace}.svc`;
  const hosts = [host, `${host}.cluster.local`];
  const webhook = runWebhook({ ...env, kube, owner, clock, random: Math.random, log, hosts, drainMs: 3_000 }, signal);
  const health = await serveHealth({ ready: () => webhook.problem, metrics });
  await webhook.ended;
  health.close();
  kube.close();
});
