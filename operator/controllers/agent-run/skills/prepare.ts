import { isDeepStrictEqual } from 'node:util';
import { AGGREGATE_TO_SKILL_GRANTS, ANNOTATIONS, LABELS, SKILL_GRANTS } from '../../../../lib/api/group.ts';
import type { AgentRun } from '../../../../lib/api/v1alpha1/agent-run.ts';
import type { EffectivePolicy } from '../../../../lib/policy/effective.ts';
import { ReconcileError } from '../../../errors.ts';
import { isKubeError } from '../../../kube/errors.ts';
import type { Events } from '../../../kube/events.ts';
import { keyFor, type KubeApi, type KubeObject, type Resource } from '../../../kube/port.ts';
import type { Cache } from '../../../kube/reflector.ts';
import {
  CLUSTER_ROLE_BINDINGS, CLUSTER_ROLES, NETWORK_POLICIES, ROLE_BINDINGS, ROLES, type Role,
} from '../../../kube/resources.ts'; // prettier-ignore
import { exceedsQuota, QUOTA_EXCEEDED } from '../quota.ts';
import type { Ending } from '../status.ts';
import { egressOf, type Resolve } from './egress.ts';
import { ungranted } from './grants.ts';
import { networkPolicy } from './network-policy.ts';
import { rightsOf } from './rights.ts';
import { hasRights, type Skill } from './skill.ts';

/** What the rights and the network of skills are made with. */
export interface PrepareContext {
  readonly kube: KubeApi;
  readonly caches: { readonly skillGrants: Cache<Role> };
  readonly events: Events;
  readonly resolve: Resolve;
}

/**
 * Makes all that the skills of a run need before its Pod: rights and a way through the network. Everything here may be
 * done twice. Returns why the run can't have it, if it can't.
 */
export async function prepareSkills(
  context: PrepareContext,
  run: AgentRun,
  skills: readonly Skill[],
  policy: EffectivePolicy,
): Promise<Ending | undefined> {
  const [rights, network] = await Promise.all([
    skills.some(hasRights) ? grantRights(context, run, skills) : undefined,
    skills.some(({ spec }) => spec.egress !== undefined) ? openNetwork(context, run, skills, policy) : undefined,
  ]);
  return rights ?? network;
}

async function grantRights(
  context: PrepareContext,
  run: AgentRun,
  skills: readonly Skill[],
): Promise<Ending | undefined> {
  const known = context.caches.skillGrants.get(keyFor(undefined, SKILL_GRANTS));
  if (missingOf(skills, known) !== undefined) {
    // The copy may lag behind.
    const missing = missingOf(skills, await context.kube.get(CLUSTER_ROLES, { name: SKILL_GRANTS }));
    if (missing !== undefined) return notGranted(missing);
  }
  const { roles, roleBindings, clusterRoles, clusterRoleBindings } = rightsOf(run, skills);
  // Roles first: a binding to a Role that isn't there yet is refused.
  const refused = await first([
    ...roles.map((role) => create(context, ROLES, role)),
    ...clusterRoles.map((role) => create(context, CLUSTER_ROLES, role)),
  ]);
  return (
    refused ??
    first([
      ...roleBindings.map((binding) => create(context, ROLE_BINDINGS, binding)),
      ...clusterRoleBindings.map((binding) => create(context, CLUSTER_ROLE_BINDINGS, binding)),
    ])
  );
}

function missingOf(skills: readonly Skill[], granted: Role | undefined): string | undefined {
  for (const { name, spec } of skills) {
    const missing = ungranted([...(spec.rbac ?? []), ...(spec.clusterRBAC ?? [])], granted?.rules ?? []);
    if (missing.length > 0) return `skill '${name}' asks for '${missing.join("', '")}'`;
  }
  return undefined;
}

/** The sentence about rights that the administrator has not granted to skills. */
const notGranted = (what: string): Ending => ({
  reason: 'RoleNotCreated',
  message: `${what}, which skills may not do in this cluster: take it out of the SkillPack, or have the administrator add it to a ClusterRole with the label ${AGGREGATE_TO_SKILL_GRANTS}=true`,
});

async function openNetwork(
  context: PrepareContext,
  run: AgentRun,
  skills: readonly Skill[],
  policy: EffectivePolicy,
): Promise<Ending | undefined> {
  const { namespace = 'default' } = run.metadata;
  const { rules, unknown, forbidden } = await egressOf({ ...context, namespace }, skills, policy);
  if (forbidden.length > 0) return { reason: 'PolicyViolation', message: forbidden.join('; ') };
  if (unknown.length > 0) {
    await context.events.record(run, {
      type: 'Warning',
      reason: 'HostNotFound',
      message: `skills of the run can't connect to ${unknown.join(', ')}: not found when the run started`,
    });
  }
  return rules.length === 0 ? undefined : create(context, NETWORK_POLICIES, networkPolicy(run, rules));
}

/** Creates an object of the run, or finds the one that was created before. */
async function create<T extends KubeObject>(
  { kube }: PrepareContext,
  resource: Resource<T>,
  object: T,
): Promise<Ending | undefined> {
  const { kind } = resource;
  try {
    await kube.create(resource, object);
    return undefined;
  } catch (error) {
    if (isKubeError(error, 'Forbidden', 'Invalid', 'NotFound')) return refusal(error.message, kind);
    if (!isKubeError(error, 'AlreadyExists')) throw error;
  }
  return conflict(kube, resource, object);
}

/** What becomes of the run when an object of the name is there. */
async function conflict<T extends KubeObject>(
  kube: KubeApi,
  resource: Resource<T>,
  object: T,
): Promise<Ending | undefined> {
  const { kind } = resource;
  const existing = await kube.get(resource, object.metadata);
  if (existing !== undefined && isSame(existing, object)) return undefined;
  const { name, namespace } = object.metadata;
  const ours = existing?.metadata.labels?.[LABELS.runNamespace] === object.metadata.labels?.[LABELS.runNamespace];
  if (existing === undefined || ours) {
    // Left by an earlier run of this name, or made from a SkillPack that has changed since.
    await kube.delete(resource, object.metadata, { uid: existing?.metadata.uid });
    throw ReconcileError.waiting('PredecessorNotGone', `${kind} '${name}' of an earlier run is being deleted`, 1);
  }
  const where = namespace === undefined ? '' : ` in namespace '${namespace}'`;
  const message = `${kind} '${name}'${where} belongs to someone else: delete it, or give the run another name`;
  return { reason: 'NameConflict', message };
}

/** The API server's word about an object that it does not take; about rights, when the controller does not have them. */
function refusal(message: string, kind: string): Ending {
  if (exceedsQuota(message)) {
    return { reason: QUOTA_EXCEEDED, message: `the ${kind} of the run waits for room in a quota: ${message}` };
  }
  const [, lacking] = /not currently held:\s*([^]*)$/.exec(message) ?? [];
  if (lacking === undefined) return { reason: `${kind}NotCreated`, message: `the ${kind} of the run can't be created: ${message}` }; // prettier-ignore
  return notGranted(`its skills ask for ${lacking.trim().replaceAll(/\s+/g, ' ')}`);
}

interface Content {
  readonly rules?: unknown;
  readonly roleRef?: unknown;
  readonly spec?: unknown;
}

/** Whether an object is what this run would create. */
function isSame(existing: KubeObject & Content, wanted: KubeObject & Content): boolean {
  const uid = ANNOTATIONS.runUid;
  return (
    existing.metadata.deletionTimestamp === undefined &&
    existing.metadata.annotations?.[uid] === wanted.metadata.annotations?.[uid] &&
    isDeepStrictEqual(existing.rules, wanted.rules) &&
    isDeepStrictEqual(existing.roleRef, wanted.roleRef)
  );
}

/** The first failure, once all have been tried. */
const first = async (attempts: readonly Promise<Ending | undefined>[]): Promise<Ending | undefined> =>
  (await Promise.all(attempts)).find((ending) => ending !== undefined);
