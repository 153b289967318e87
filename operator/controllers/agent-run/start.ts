import { findCondition } from '../../../lib/api/conditions.ts';
import { effectivePolicy } from '../../../lib/policy/effective.ts';
import { violations } from '../../../lib/policy/violations.ts';
import type { AgentRun } from '../../../lib/api/v1alpha1/agent-run.ts';
import type { SympoziumInstance } from '../../../lib/api/v1alpha1/instance.ts';
import { messageOf, ReconcileError } from '../../errors.ts';
import { isKubeError } from '../../kube/errors.ts';
import { keyOf, type KubeObject, type Resource } from '../../kube/port.ts';
import { JOBS, SERVICE_ACCOUNTS } from '../../kube/resources.ts';
import type { Result } from '../../runtime/controller.ts';
import type { RunContext } from './context.ts';
import { job, serviceAccount, type Observed } from './desired.ts';
import { end } from './end.ts';
import { follow } from './follow.ts';
import { attemptOf, owns, uidOf } from './own.ts';
import { exceedsQuota, QUOTA_EXCEEDED, waitForQuota } from './quota.ts';
import { againOf } from './resume.ts';
import { prepareSkills } from './skills/prepare.ts';
import { resolveSkills } from './skills/resolve.ts';
import type { Skill } from './skills/skill.ts';
import { failed, type Ending } from './status.ts';
import { QUEUED, takePlace } from './take-place.ts';
import { taskOf } from './task.ts';
import { runTimeoutSeconds } from './timeout.ts';

/** Starts a run, or ends it with the reason why it can't start. Everything here may be done twice. */
export async function start(context: RunContext, run: AgentRun): Promise<Result> {
  const observed = await observe(context, run);
  if ('reason' in observed) return fail(context, run, observed);
  const waiting = await takePlace(context, run, observed.policy);
  if (waiting !== undefined) return waiting;
  await context.isolation.ensure(run.metadata.namespace ?? 'default');

  // The Job comes last: its Pod needs the ServiceAccount at once, and its bridge the task soon after.
  const { policy, skills = [] } = observed;
  const [unpublished, account, refused] = await Promise.all([
    publish(context, observed),
    create(context, run, SERVICE_ACCOUNTS, serviceAccount(run)),
    prepareSkills(context, run, skills, policy),
  ]);
  if (unpublished !== undefined) return fail(context, run, unpublished);
  if (refused !== undefined) return fail(context, run, refused);
  if ('reason' in account) return fail(context, run, account);
  const created = await create(context, run, JOBS, job(observed));
  if ('reason' in created) return fail(context, run, created);
  if (attemptOf(created) < (run.status?.attempts ?? 1)) {
    const message = 'the Job of the attempt before is still being deleted';
    throw ReconcileError.waiting('PredecessorNotGone', message, 1);
  }

  context.memory.created(uidOf(run), created);
  context.places.started(run);
  context.log.info('Started a run', { run: keyOf(run), policy: observed.policy.name });
  return follow(context, run, created);
}

/** All that the run is made from, or why it can't be made. */
async function observe(context: RunContext, run: AgentRun): Promise<Observed | Ending> {
  const { lookup, settings } = context;
  const { name, namespace = 'default' } = run.metadata;
  const { instanceRef } = run.spec;
  const instance = await lookup.instance(namespace, instanceRef);
  if (instance === undefined) {
    const message = `AgentRun '${name}' names SympoziumInstance '${instanceRef}', which is not in namespace '${namespace}': create the instance, then the run again`;
    return { reason: 'InstanceNotFound', message };
  }
  const rules = await lookup.rules(namespace, instance.spec.policy);
  if (rules === undefined)
    return { reason: 'PolicyNotFound', message: lookup.noPolicy(namespace, instance.spec.policy) };
  const policy = effectivePolicy(rules, instance, run);
  const forbidden = violations(policy, instance);
  if (forbidden.length > 0)
    return { reason: 'PolicyViolation', message: `SympoziumInstance '${instanceRef}': ${forbidden.join('; ')}` };
  const skills = await resolveSkills(context, run, instance, policy);
  if ('reason' in skills) return skills;
  const again = againOf(context, run, runTimeoutSeconds(run, instance, policy));
  const observed = { run, instance, policy, settings, skills, ...(again === undefined ? {} : { again }) };
  return (await credentialsMissing(context, instance, skills)) ?? observed;
}

/** Which Secret is missing, of the instance's provider or of a skill; `undefined` when none is, or when nobody knows. */
async function credentialsMissing(
  { check, log }: RunContext,
  instance: SympoziumInstance,
  skills: readonly Skill[],
): Promise<Ending | undefined> {
  const { metadata, status } = instance;
  const ready = findCondition(status?.conditions, 'Ready');
  const secrets = skills.flatMap(({ spec }) => spec.sidecar?.secretRef ?? []);
  const known = ready?.status === 'True' && ready.observedGeneration === metadata.generation;
  if (known && secrets.length === 0) return undefined;
  try {
    const readiness = await check(metadata.namespace ?? 'default', metadata.name, secrets);
    return readiness.ready ? undefined : readiness;
  } catch (error) {
    log.warn('Could not ask the gateway, going on', { instance: keyOf(instance), why: messageOf(error) });
    return undefined; // the first model call will tell
  }
}

/** Publishes the task. A bus that is down is waited for as long as the run may take at all: also such a run ends. */
async function publish({ bus, clock, places }: RunContext, observed: Observed): Promise<Ending | undefined> {
  const { run, instance, policy, again } = observed;
  const { name, namespace = 'default', creationTimestamp = '' } = run.metadata;
  try {
    await bus.publishTask({ namespace, name }, taskOf(observed));
    return undefined;
  } catch (cause) {
    const why = `the task can't be published: ${messageOf(cause)}`;
    const seconds = runTimeoutSeconds(run, instance, policy);
    // What it waited for a place or a quota is not its own time.
    const waited = run.status?.reason === QUEUED || run.status?.reason === QUOTA_EXCEEDED;
    const since = (waited ? places.takenAt(run) : undefined) ?? Date.parse(creationTimestamp);
    const overdue = clock.date().getTime() - since > seconds * 1000;
    if (!overdue || again !== undefined) throw ReconcileError.waiting('BusUnreachable', why, 2, { cause });
    const message = `the run could not start within its time limit of ${seconds} s: ${why}; see that NATS is up, then create the run again`;
    return { reason: 'BusUnreachable', message };
  }
}

/** Creates a child of the run, or finds the one that was created before. */
async function create<T extends KubeObject>(
  { kube }: RunContext,
  run: AgentRun,
  resource: Resource<T>,
  object: T,
): Promise<T | Ending> {
  try {
    return await kube.create(resource, object);
  } catch (error) {
    if (isKubeError(error, 'Forbidden') && exceedsQuota(error.message)) {
      const message = `the ${resource.kind} of the run waits for room in a quota of the namespace: ${error.message}`;
      return { reason: QUOTA_EXCEEDED, message };
    }
    if (isKubeError(error, 'Forbidden', 'Invalid')) {
      return {
        reason: `${resource.kind}NotCreated`,
        message: `the ${resource.kind} of the run can't be created: ${error.message}`,
      };
    }
    if (!isKubeError(error, 'AlreadyExists')) throw error;
  }
  const existing = await kube.get(resource, object.metadata);
  if (existing !== undefined && owns(run, existing)) return existing;
  return conflict(run, resource, existing, object);
}

function conflict<T extends KubeObject>(
  run: AgentRun,
  { kind }: Resource<T>,
  existing: T | undefined,
  wanted: T,
): Ending {
  const { name, namespace } = wanted.metadata;
  const predecessor = existing?.metadata.ownerReferences?.some(
    (owner) => owner.kind === run.kind && owner.name === run.metadata.name,
  );
  if (existing === undefined || predecessor === true || existing.metadata.deletionTimestamp !== undefined) {
    const message = `${kind} '${name}' of an earlier run of this name is still being deleted`;
    throw ReconcileError.waiting('PredecessorNotGone', message, 1);
  }
  const message = `${kind} '${name}' in namespace '${namespace ?? ''}' belongs to someone else: delete it, or give the run another name`;
  return { reason: 'NameConflict', message };
}

const fail = (context: RunContext, run: AgentRun, ending: Ending): Promise<Result> =>
  ending.reason === QUOTA_EXCEEDED
    ? waitForQuota(context, run, ending)
    : end(context, run, failed(run, {}, ending, context.clock.date()));
