import { LABELS } from '../../lib/api/group.ts';
import type { RunBus } from '../bus/run-bus.ts';
import { Events } from '../kube/events.ts';
import { Lookup } from '../kube/lookup.ts';
import { keyFor, keyOf, type KubeApi, type KubeObject } from '../kube/port.ts';
import {
  MCP_SERVERS, PERSONA_PACKS, POLICIES, SCHEDULES, SKILL_PACKS, TOOL_APPROVALS,
} from '../kube/resources.ts'; // prettier-ignore
import type { Log } from '../log.ts';
import type { Clock } from '../runtime/clock.ts';
import { runController, type ControllerOptions } from '../runtime/controller.ts';
import { WorkQueue } from '../runtime/work-queue.ts';
import { acceptController } from './accept.ts';
import { runJanitor } from './agent-run/janitor.ts';
import { observeActive } from './agent-run/measure.ts';
import { RunMemory } from './agent-run/memory.ts';
import { recordResult } from './agent-run/record-result.ts';
import { reconcileRun } from './agent-run/reconcile.ts';
import { uidOf } from './agent-run/own.ts';
import type { RunContext } from './agent-run/context.ts';
import type { Caches } from './caches.ts';
import type { ControllerEnv } from './env.ts';
import { gatewayCheck, type CheckInstance } from './gateway-client.ts';
import { reconcileInstance } from './instance/reconcile.ts';
import { Isolation } from './isolation.ts';
import { seedPolicies } from './seed-policies.ts';

const RUN_WORKERS = 16;
const INSTANCE_WORKERS = 4;

/** What the leader works with. */
export interface LeadOptions {
  readonly kube: KubeApi;
  readonly caches: Caches;
  readonly bus: Pick<RunBus, 'connected' | 'publishTask' | 'consumeResults' | 'forget'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly env: ControllerEnv;
  /** Left out: the gateway is asked. */
  readonly check?: CheckInstance;
}

/** Does all that only one replica may do, until the signal; resolves when nothing is in work any more. */
export async function lead(options: LeadOptions, signal: AbortSignal): Promise<void> {
  const { kube, caches, bus, clock, log, env } = options;
  const check = options.check ?? gatewayCheck(env.gatewayUrl, env.gatewayTokenFile);
  const lookup = new Lookup(kube, caches, env.namespace);
  const isolation = new Isolation(kube, caches.networkPolicies, { ...env, systemNamespace: env.namespace });
  const events = new Events(kube, clock, log);
  const memory = new RunMemory(clock);
  const context: RunContext = {
    kube,
    caches,
    lookup,
    bus,
    check,
    isolation,
    events,
    memory,
    clock,
    log,
    settings: env,
  };

  const runs = new WorkQueue(clock, 'AgentRun');
  const instances = new WorkQueue(clock, 'SympoziumInstance');
  const controllers: readonly ControllerOptions[] = [
    { name: 'AgentRun', queue: runs, reconcile: (key) => reconcileRun(context, key), workers: RUN_WORKERS, log },
    {
      name: 'SympoziumInstance',
      queue: instances,
      reconcile: (key) => reconcileInstance({ ...context, instances: caches.instances }, key),
      workers: INSTANCE_WORKERS,
      log,
    },
    acceptController(POLICIES, caches.policies, options),
    acceptController(SCHEDULES, caches.schedules, options),
    acceptController(PERSONA_PACKS, caches.personaPacks, options),
    acceptController(SKILL_PACKS, caches.skillPacks, options),
    acceptController(MCP_SERVERS, caches.mcpServers, options),
    acceptController(TOOL_APPROVALS, caches.toolApprovals, options),
  ];
  feed(caches, memory, { runs, instances });
  observeActive(caches.runs);
  signal.addEventListener('abort', () => {
    for (const { queue } of controllers) queue.close();
  });
  await Promise.all([
    ...controllers.map(runController),
    bus.consumeResults((run, result) => recordResult(context, run, result), signal),
    seedPolicies({ kube, namespace: env.namespace, clock, log }, signal),
    runJanitor(
      { kube, runs: caches.runs, forget: (run) => bus.forget(run), retention: env.retention, clock, log },
      signal,
    ),
  ]);
}

/** Puts into the queues what is there, and from now on what changes. */
function feed(
  caches: Caches,
  memory: RunMemory,
  queues: { readonly runs: WorkQueue; readonly instances: WorkQueue },
): void {
  const { runs, instances } = queues;
  const addRunOf = ({ metadata }: KubeObject) => {
    const run = metadata.labels?.[LABELS.run];
    if (run !== undefined) runs.add(keyFor(metadata.namespace, run));
  };
  const addInstances = (concerned: (object: KubeObject) => boolean) => {
    for (const instance of caches.instances.list().filter(concerned)) instances.add(keyOf(instance));
  };
  caches.runs.onChange((run) => {
    const current = caches.runs.get(keyOf(run));
    if (current?.metadata.uid === run.metadata.uid) memory.heardOf(uidOf(run));
    else memory.forget(uidOf(run));
    runs.add(keyOf(run));
  });
  caches.jobs.onChange((job) => {
    const owner = job.metadata.ownerReferences?.find(({ controller }) => controller === true);
    if (owner !== undefined) memory.saw(owner.uid, 'job');
    addRunOf(job);
  });
  caches.pods.onChange(addRunOf);
  caches.serviceAccounts.onChange(addRunOf);
  caches.instances.onChange((instance) => {
    instances.add(keyOf(instance));
  });
  // An instance may name a policy of the system namespace, too: all are looked at, which costs nothing but a look.
  caches.policies.onChange(() => {
    addInstances(() => true);
  });
  caches.networkPolicies.onChange(({ metadata }) => {
    addInstances((instance) => instance.metadata.namespace === metadata.namespace);
  });
  for (const run of caches.runs.list()) runs.add(keyOf(run));
  addInstances(() => true);
}
