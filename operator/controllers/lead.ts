import { LABELS } from '../../lib/api/group.ts';
import { builtinSkillPacks } from '../../lib/skills/index.ts';
import type { RunBus } from '../bus/run-bus.ts';
import { Events } from '../kube/events.ts';
import { Lookup } from '../kube/lookup.ts';
import { SkillLookup } from '../kube/skill-lookup.ts';
import { keyFor, keyOf, type KubeApi, type KubeObject } from '../kube/port.ts';
import {
  MCP_SERVERS, PERSONA_PACKS, SCHEDULES,
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
import { jobOf, uidOf } from './agent-run/own.ts';
import { feedQueue } from './agent-run/feed-queue.ts';
import { Places } from './agent-run/places.ts';
import { resolveHost, type Resolve } from './agent-run/skills/egress.ts';
import { runOf } from './agent-run/skills/objects.ts';
import type { RunContext } from './agent-run/context.ts';
import { consumeAudit } from './audit/consume.ts';
import type { Caches } from './caches.ts';
import { Control } from './control/control.ts';
import { feedControl } from './control/feed.ts';
import { Endpoints } from './endpoint/endpoints.ts';
import { feedEndpoints } from './endpoint/feed.ts';
import type { ControllerEnv } from './env.ts';
import { gatewayCheck, type CheckInstance } from './gateway-client.ts';
import { reconcileInstance } from './instance/reconcile.ts';
import { Isolation } from './isolation.ts';
import { policyController } from './policy/controller.ts';
import { newsOf } from './policy/news.ts';
import { seedPolicies } from './seed-policies.ts';
import { seedSkills } from './seed-skills.ts';
import { recordApproval } from './tool-approval/record.ts';
import { reconcileApproval } from './tool-approval/reconcile.ts';
import { skillPackController } from './skill-pack/reconcile.ts';

const RUN_WORKERS = 16;
const INSTANCE_WORKERS = 4;

/** What the leader works with. */
export interface LeadOptions {
  readonly kube: KubeApi;
  readonly caches: Caches;
  readonly bus: Pick<
    RunBus,
    | 'connected'
    | 'publishTask'
    | 'publishControl'
    | 'getCheckpoint'
    | 'consumeResults'
    | 'consumeApprovals'
    | 'consumeAudit'
    | 'forget'
  >;
  readonly clock: Clock;
  readonly log: Log;
  readonly env: ControllerEnv;
  /** Left out: the gateway is asked. */
  readonly check?: CheckInstance;
  /** Finds the addresses of a name. Left out: the system's resolver does. */
  readonly resolve?: Resolve;
}

/** Does all that only one replica may do, until the signal; resolves when nothing is in work any more. */
export async function lead(options: LeadOptions, signal: AbortSignal): Promise<void> {
  const { kube, caches, bus, clock, log, env } = options;
  const check = options.check ?? gatewayCheck(env.gatewayUrl, env.gatewayTokenFile);
  const lookup = new Lookup(kube, caches, env.namespace);
  const network = { ...env, systemNamespace: env.namespace };
  const isolation = new Isolation(kube, caches.networkPolicies, network);
  const endpoints = new Endpoints(kube, caches, { ...env, network });
  const packs = builtinSkillPacks({ ...env.skillImages, runtime: env.runtimeImage });
  const events = new Events(kube, clock, log);
  const memory = new RunMemory(clock);
  const places = new Places({
    kube,
    clock,
    hasJob: (run) => jobOf({ caches, memory }, run) !== undefined,
    createdAt: (run) => memory.createdAt(run),
  });
  const context: RunContext = {
    kube,
    caches,
    lookup,
    skills: new SkillLookup(kube, caches, env.namespace),
    resolve: options.resolve ?? resolveHost,
    bus,
    check,
    isolation,
    events,
    memory,
    places,
    clock,
    log,
    settings: env,
  };

  const runs = new WorkQueue(clock, 'AgentRun');
  const instances = new WorkQueue(clock, 'SympoziumInstance');
  const approvals = new WorkQueue(clock, 'ToolApproval');
  const controls = new WorkQueue(clock, 'Control');
  const control = new Control(context);
  const controllers: readonly ControllerOptions[] = [
    { name: 'AgentRun', queue: runs, reconcile: (key) => reconcileRun(context, key), workers: RUN_WORKERS, log },
    {
      name: 'SympoziumInstance',
      queue: instances,
      reconcile: (key) => reconcileInstance({ ...context, instances: caches.instances, endpoints }, key),
      workers: INSTANCE_WORKERS,
      log,
    },
    policyController({ kube, caches, systemNamespace: env.namespace, clock }, log),
    acceptController(SCHEDULES, caches.schedules, options),
    acceptController(PERSONA_PACKS, caches.personaPacks, options),
    skillPackController({
      kube,
      packs: caches.skillPacks,
      grants: caches.skillGrants,
      systemNamespace: env.namespace,
      clock,
      log,
    }),
    acceptController(MCP_SERVERS, caches.mcpServers, options),
    { name: 'ToolApproval', queue: approvals, reconcile: (key) => reconcileApproval(context, key), workers: 4, log },
    { name: 'Control', queue: controls, reconcile: (key) => control.reconcile(key), workers: 4, log },
  ];
  feed(caches, memory, { runs, instances });
  feedQueue(caches, places, runs);
  feedControl(caches, control, { runs, controls, approvals });
  feedEndpoints(caches, instances);
  observeActive(caches.runs);
  signal.addEventListener('abort', () => {
    for (const { queue } of controllers) queue.close();
  });
  await Promise.all([
    ...controllers.map(runController),
    bus.consumeResults((run, result) => recordResult(context, run, result), signal),
    bus.consumeApprovals((run, message) => recordApproval(context, run, message), signal),
    consumeAudit({ caches, bus, events, log }, signal),
    seedPolicies({ kube, namespace: env.namespace, clock, log }, signal),
    seedSkills({ kube, packs, namespace: env.namespace, clock, log }, signal),
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
    if (owner !== undefined) memory.sawJob(owner.uid, job.metadata.uid);
    addRunOf(job);
  });
  caches.pods.onChange(addRunOf);
  caches.serviceAccounts.onChange(addRunOf);
  caches.instances.onChange((instance) => {
    instances.add(keyOf(instance));
  });
  // An instance may name a policy of the system namespace, too: all are looked at, which costs nothing but a look.
  const isNews = newsOf(caches.policies);
  caches.policies.onChange((policy) => {
    if (isNews(policy)) addInstances(() => true);
  });
  caches.namespaces.onChange(({ metadata }) => {
    addInstances((instance) => instance.metadata.namespace === metadata.name);
  });
  caches.networkPolicies.onChange(({ metadata }) => {
    addInstances((instance) => instance.metadata.namespace === metadata.namespace);
  });
  const { runRoles, runRoleBindings, runClusterRoles, runClusterRoleBindings, runNetworkPolicies } = caches;
  for (const cache of [runRoles, runRoleBindings, runClusterRoles, runClusterRoleBindings, runNetworkPolicies]) {
    cache.onChange((object) => {
      const run = runOf(object);
      if (run !== undefined) runs.add(run);
    });
  }
  for (const run of caches.skillObjects.runs) runs.add(run); // also of runs that are gone
  for (const run of caches.runs.list()) runs.add(keyOf(run));
  addInstances(() => true);
}
