import type { OwnerReference } from '../../lib/api/metadata.ts';
import type { Log } from '../log.ts';
import { Lookup } from '../kube/lookup.ts';
import { SkillLookup } from '../kube/skill-lookup.ts';
import type { KubeApi } from '../kube/port.ts';
import { reflect } from '../kube/reflect.ts';
import { AGENT_RUNS, INSTANCES, NAMESPACES, POLICIES, RUNTIME_CLASSES, SKILL_PACKS } from '../kube/resources.ts';
import { trimToMetadata } from '../kube/trim.ts';
import { sleep, type Clock } from '../runtime/clock.ts';
import { runController } from '../runtime/controller.ts';
import { WorkQueue } from '../runtime/work-queue.ts';
import { issuedCertificate } from './issued-certificate.ts';
import { Keeper } from './keeper.ts';
import { ownCertificate } from './own-certificate.ts';
import { webhookServer } from './server.ts';
import { validate } from './validate.ts';

/** Name of the controller's ServiceAccount, in every installation. */
const CONTROLLER_ACCOUNT = 'sympozium-controller';

/** What the webhook works with. */
export interface WebhookRunOptions {
  readonly kube: KubeApi;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly namespace: string;
  /** Names the API server calls the webhook by. */
  readonly hosts: readonly string[];
  /** Both webhook configurations, where the webhook makes its certificate itself; else the Secret that it is in. */
  readonly certificate: { readonly configuration: string } | { readonly certificateSecret: string };
  /** With whom the Secret goes that the webhook makes. */
  readonly owner?: OwnerReference | undefined;
  readonly port: number;
  /** How long requests are still taken after the signal, until nobody is sent here any more. */
  readonly drainMs: number;
}

/** A webhook that is at work. */
export interface RunningWebhook {
  /** Why it can't be called, or `undefined` when it can. */
  readonly problem: string | undefined;
  /** Resolves when it has stopped. */
  readonly ended: Promise<void>;
}

/** Serves admission until the signal. */
export function runWebhook(options: WebhookRunOptions, signal: AbortSignal): RunningWebhook {
  const { kube, namespace, certificate, log, clock } = options;
  const source =
    'configuration' in certificate
      ? ownCertificate({ ...options, ...certificate })
      : issuedCertificate({ ...options, ...certificate });
  const caches = {
    instances: reflect(INSTANCES, options),
    policies: reflect(POLICIES, options),
    skillPacks: reflect(SKILL_PACKS, options),
    namespaces: reflect(NAMESPACES, options, { trim: trimToMetadata }),
    runtimeClasses: reflect(RUNTIME_CLASSES, options),
    ...source.caches,
  };
  const missing = () => {
    const names = Object.entries(caches).flatMap(([name, { synced }]) => (synced ? [] : [name]));
    return names.length === 0 ? undefined : `not listed yet: ${names.join(', ')}`;
  };
  const lookup = new Lookup(kube, caches, namespace);
  const skills = new SkillLookup(kube, caches, namespace);
  const runtimeClassExists = async (name: string) =>
    (caches.runtimeClasses.get(`/${name}`) ?? (await kube.get(RUNTIME_CLASSES, { name }))) !== undefined;

  const decisions = {
    controller: `system:serviceaccount:${namespace}:${CONTROLLER_ACCOUNT}`,
    // Asked for each time: a decision is rare, and a copy could miss that the run has ended.
    run: (of: string, name: string) => kube.get(AGENT_RUNS, { namespace: of, name }),
    now: () => clock.date(),
  };

  const keeper = new Keeper({
    ...options,
    source,
    serve: (serving) =>
      new Promise((resolve, reject) => {
        const judge = validate.bind(undefined, { lookup, skills, runtimeClassExists, decisions });
        const server = webhookServer(serving, { validate: judge, notReady: missing, log }).once('error', reject);
        server.listen(options.port, () => {
          resolve(server);
        });
      }),
  });
  const queue = new WorkQueue(clock, 'certificates');
  for (const cache of Object.values(source.caches)) {
    cache.onChange(() => {
      queue.add('certificates');
    });
  }
  signal.addEventListener('abort', () => {
    queue.close();
  });
  const work = async () => {
    const reflecting = Object.values(caches).map((cache) => cache.run(signal));
    await Promise.race([Promise.all(Object.values(caches).map((cache) => cache.whenSynced())), ...reflecting]);
    queue.add('certificates');
    await runController({ name: 'certificates', queue, reconcile: () => keeper.reconcile(), workers: 1, log });
    await sleep(clock, options.drainMs);
    keeper.close();
    await Promise.all(reflecting);
  };
  return {
    get problem() {
      return signal.aborted ? 'shutting down' : (missing() ?? keeper.problem);
    },
    ended: work(),
  };
}
