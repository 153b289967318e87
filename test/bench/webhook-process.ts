import { KubeClient } from '../../operator/kube/client.ts';
import { fromKubeconfig } from '../../operator/kube/config.ts';
import { createLog } from '../../operator/log.ts';
import { start, systemClock as clock } from '../../operator/main/process.ts';
import { sleep } from '../../operator/runtime/clock.ts';
import { runWebhook } from '../../operator/webhook/run.ts';
import { CONFIGURATION } from '../support/admission.ts';

/** The webhook as a process of its own, on this machine. Arguments: kubeconfig, port. Says `ready` once it can be called. */
await start('webhook', async ({ signal }) => {
  const [kubeconfig, port] = process.argv.slice(2);
  const kube = new KubeClient(await fromKubeconfig(kubeconfig), {
    fieldManager: 'sympozium-webhook',
    sleep: (ms, stop) => sleep(clock, ms, stop),
  });
  const webhook = runWebhook(
    {
      kube,
      clock,
      random: Math.random,
      log: createLog('webhook', 'warn'),
      namespace: 'sympozium-system',
      hosts: ['localhost'],
      certificate: { configuration: CONFIGURATION },
      port: Number(port),
      drainMs: 0,
    },
    signal,
  );
  while (webhook.problem !== undefined) await sleep(clock, 50, signal);
  process.stdout.write('ready\n');
  await webhook.ended;
  kube.close();
});
