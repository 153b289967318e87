/** The web endpoint of one instance: OpenAI's Chat Completions over HTTP. See docs/architecture.md. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { EventListener } from '../bus/event-listener.ts';
import { reflectRuns } from '../endpoint/copies.ts';
import { endpointEnv } from '../endpoint/env.ts';
import { Key } from '../endpoint/key.ts';
import { RateLimit } from '../endpoint/rate-limit.ts';
import { Runs } from '../endpoint/runs.ts';
import { createEndpoint } from '../endpoint/server.ts';
import { drain } from '../gateway/drain.ts';
import { KubeClient } from '../kube/client.ts';
import { connect } from '../kube/config.ts';
import { createLog } from '../log.ts';
import { sleep } from '../runtime/clock.ts';
import { start, systemClock as clock } from './process.ts';

const PORT = 8080;
const SECRETS = '/var/run/secrets';
/** How long answers under way may go on once the process is told to end. */
const GRACE_MS = 45_000;

const main: Parameters<typeof start>[1] = async ({ signal, variables }) => {
  const { logLevel, namespace, instance, secret, requestsPerMinute, busUrl } = endpointEnv(variables);
  const log = createLog('endpoint', logLevel);
  const kube = new KubeClient(await connect({ variables, now: clock.now }), {
    fieldManager: 'sympozium-endpoint',
    sleep: (ms, stop) => sleep(clock, ms, stop),
  });
  const end = new AbortController();
  const copies = reflectRuns(namespace, instance, { kube, clock, random: Math.random, log });
  const copying = copies.run(end.signal);
  const events = new EventListener({
    url: busUrl,
    name: `endpoint ${namespace}/${instance}`,
    token: () => readFileSync(`${SECRETS}/sympozium/bus`, 'utf8').trim(),
    log,
    signal: end.signal,
  });
  const key = new Key(`${SECRETS}/endpoint/apiKey`, secret);
  const server = createEndpoint({
    instance,
    namespace,
    runs: new Runs({ kube, copies, namespace, instance }),
    events,
    key,
    limit: new RateLimit(requestsPerMinute, clock.now),
    ready: async () =>
      (await key.problem()) ??
      (copies.synced ? undefined : 'the AgentRuns are not listed yet') ??
      (server.listening ? undefined : 'shutting down'),
    clock,
    log,
  });
  server.listen(PORT);
  await once(server, 'listening');
  log.info('Listening', { port: PORT, instance: `${namespace}/${instance}`, problem: await key.problem() });

  if (!signal.aborted) await once(signal, 'abort');
  log.info('Shutting down');
  await drain(server, GRACE_MS);
  end.abort();
  await copying;
  kube.close();
};

await start('endpoint', main, GRACE_MS + 5_000);
