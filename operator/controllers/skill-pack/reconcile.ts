import { findCondition } from '../../../lib/api/conditions.ts';
import { SKILL_GRANTS } from '../../../lib/api/group.ts';
import type { SkillPack } from '../../../lib/api/v1alpha1/skill-pack.ts';
import { isKubeError } from '../../kube/errors.ts';
import { Events } from '../../kube/events.ts';
import { keyFor, keyOf, type KubeApi, type KubeObject } from '../../kube/port.ts';
import type { Reflector } from '../../kube/reflector.ts';
import { SKILL_PACKS, type Role } from '../../kube/resources.ts';
import type { Log } from '../../log.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { ControllerOptions, Result } from '../../runtime/controller.ts';
import { WorkQueue } from '../../runtime/work-queue.ts';
import { conditionsStatus } from '../conditions.ts';
import { readyCondition, RIGHTS_NOT_GRANTED, type PackFacts } from './readiness.ts';

/** What the reconciliation of SkillPacks works with. */
export interface PackContext {
  readonly kube: KubeApi;
  readonly packs: Reflector<SkillPack>;
  /** The ClusterRole with what skills may be granted. */
  readonly grants: Reflector<Role>;
  readonly systemNamespace: string;
  readonly clock: Clock;
  readonly log: Log;
}

/** Writes into a pack's conditions whether agents can have it, and says so in an Event when that changes. */
async function reconcilePack(context: PackContext, events: Events, key: string): Promise<Result> {
  const { kube, packs, clock } = context;
  const pack = packs.get(key);
  if (pack === undefined || pack.metadata.deletionTimestamp !== undefined) return {};
  const { name, namespace, resourceVersion = '' } = pack.metadata;
  const condition = readyCondition(pack, factsOf(context, pack));
  const status = conditionsStatus(pack, [condition], clock.date());
  if (status === undefined) return {};
  const before = findCondition(pack.status?.conditions, 'Ready');
  try {
    const { apiVersion, kind } = pack;
    const metadata = { name, ...(namespace === undefined ? {} : { namespace }), resourceVersion };
    packs.observe(await kube.applyStatus(SKILL_PACKS, { apiVersion, kind, metadata, status }));
  } catch (error) {
    if (isKubeError(error, 'Conflict', 'NotFound')) return { requeueAfterMs: 200 }; // it has changed meanwhile
    throw error;
  }
  const { reason, message } = condition;
  // In a new installation the grants are added up a moment after the packs are there: not worth a warning.
  if (condition.status === 'False' && before?.reason !== reason && reason !== RIGHTS_NOT_GRANTED) {
    await events.record(pack, { type: 'Warning', reason, message, occasion: resourceVersion });
  }
  return {};
}

function factsOf({ packs, grants, systemNamespace }: PackContext, { metadata }: SkillPack): PackFacts {
  const sum = grants.get(keyFor(undefined, SKILL_GRANTS));
  const twin = packs.get(keyFor(systemNamespace, metadata.name));
  return {
    systemNamespace,
    grants: sum?.rules ?? [],
    shadowed: metadata.namespace !== systemNamespace && twin !== undefined,
  };
}

/** The controller of SkillPacks: what there is, and what changes, is looked at. */
export function skillPackController(context: PackContext): ControllerOptions {
  const { packs, clock, log, kube, systemNamespace } = context;
  const queue = new WorkQueue(clock, 'SkillPack');
  const events = new Events(kube, clock, log);
  const add = (object: KubeObject) => {
    queue.add(keyOf(object));
    if (object.metadata.namespace !== systemNamespace) return;
    // It comes before those of the same name elsewhere.
    for (const other of packs.list()) if (other.metadata.name === object.metadata.name) queue.add(keyOf(other));
  };
  packs.onChange(add);
  context.grants.onChange(() => {
    packs.list().forEach(add);
  });
  packs.list().forEach(add);
  return { name: 'SkillPack', queue, reconcile: (key) => reconcilePack(context, events, key), workers: 1, log };
}
