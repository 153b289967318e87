import { isDeepStrictEqual } from 'node:util';
import type { AgentRun } from '../../lib/api/v1alpha1/agent-run.ts';
import type { SympoziumInstance } from '../../lib/api/v1alpha1/instance.ts';
import type { SympoziumPolicy } from '../../lib/api/v1alpha1/policy.ts';
import type { SkillPack } from '../../lib/api/v1alpha1/skill-pack.ts';
import type { ToolApproval } from '../../lib/api/v1alpha1/tool-approval.ts';
import type { Rules } from '../../lib/policy/effective.ts';
import type { Lookup } from '../kube/lookup.ts';
import type { SkillLookup } from '../kube/skill-lookup.ts';
import type { KubeObject } from '../kube/port.ts';
import { ALLOWED, join, type AdmissionRequest, type Verdict } from './review.ts';
import { admitRun } from './rules/agent-run.ts';
import { hasEffect, requestedByIsKept } from './rules/common.ts';
import { servedBy, staysWithItsInstance } from './rules/endpoint.ts';
import { admitInstance } from './rules/instance.ts';
import { admitPolicy } from './rules/policy.ts';
import { admitDecision, admitNewApproval, decides, userOf } from './rules/tool-approval.ts';
import { admitSkillPack } from './rules/skill-pack.ts';
import { admitSkillImages } from './rules/skill-images.ts';
import { admitSkills, skillFacts } from './rules/skills.ts';

/** Where the facts come from that rules decide by. */
export interface FactSource {
  readonly lookup: Lookup;
  readonly skills: SkillLookup;
  /** Asks the cluster when the local copy has no such RuntimeClass. */
  readonly runtimeClassExists: (name: string) => Promise<boolean>;
  /** What decisions about calls are judged by. */
  readonly decisions: {
    /** User name of the controller. */
    readonly controller: string;
    /** The run, as it is in the cluster now. */
    readonly run: (namespace: string, name: string) => Promise<AgentRun | undefined>;
    readonly now: () => Date;
  };
}

/** Judges one request. Whatever isn't a new or changed spec of ours is allowed. */
export async function validate(source: FactSource, request: AdmissionRequest): Promise<Verdict> {
  const { operation, subResource, kind, object, oldObject } = request;
  if (object === undefined || object === null || (subResource ?? '') !== '') return ALLOWED;
  if (operation !== 'CREATE' && operation !== 'UPDATE') return ALLOWED;
  const before = oldObject ?? undefined;
  if (kind.kind === 'ToolApproval') return judgeApproval(source, request, object as ToolApproval, before);
  if (object.metadata.deletionTimestamp !== undefined) return ALLOWED; // what is going must be able to go
  const kept = join([requestedByIsKept(before, object), await ofEndpoint(source, request, object)]);
  if (before !== undefined && isDeepStrictEqual(specOf(before), specOf(object))) return kept;

  // The spec of a run can't be changed, but for `cancelled`, which is always welcome.
  if (kind.kind === 'AgentRun' && before !== undefined) return kept;
  const verdict = await judge(source, inNamespace(object, request), kind.kind);
  return join([kept, hasEffect(kind.kind, specOf(object) ?? {}), verdict]);
}

/** Who asks, and who decides: also of what is being deleted, because a decision would still be heard. */
async function judgeApproval(
  { decisions }: FactSource,
  request: AdmissionRequest,
  after: ToolApproval,
  old: KubeObject | undefined,
): Promise<Verdict> {
  const { controller, run, now } = decisions;
  const user = userOf(request);
  if (old === undefined) return admitNewApproval({ user, controller });
  const before = old as ToolApproval;
  const { namespace = 'default' } = before.metadata;
  const known = decides(before, after) ? await run(namespace, before.spec.runRef) : undefined;
  return join([
    requestedByIsKept(before, after),
    admitDecision(before, after, { user, controller, run: known, now: now() }),
  ]);
}

/** What holds for runs if it is a web endpoint that asks. */
async function ofEndpoint(
  { lookup }: FactSource,
  { kind, userInfo }: AdmissionRequest,
  object: KubeObject,
): Promise<Verdict> {
  const served = kind.kind === 'AgentRun' ? servedBy(userInfo?.username) : undefined;
  if (served === undefined) return ALLOWED;
  return staysWithItsInstance(object as AgentRun, await lookup.instance(served.namespace, served.instance));
}

function judge(source: FactSource, object: KubeObject, kind: string): Promise<Verdict> | Verdict {
  switch (kind) {
    case 'AgentRun':
      return judgeRun(source, object as AgentRun);
    case 'SympoziumInstance':
      return judgeInstance(source, object as SympoziumInstance);
    case 'SympoziumPolicy':
      return judgePolicy(source, object as SympoziumPolicy);
    case 'SkillPack':
      return judgePack(source, object as SkillPack);
    default:
      return ALLOWED;
  }
}

async function judgeRun({ lookup, runtimeClassExists }: FactSource, run: AgentRun): Promise<Verdict> {
  const { namespace = 'default' } = run.metadata;
  const instance = await lookup.instance(namespace, run.spec.instanceRef);
  const rules = instance === undefined ? undefined : await lookup.rules(namespace, instance.spec.policy);
  return admitRun(run, {
    instance,
    rules,
    noPolicy: lookup.noPolicy(namespace, instance?.spec.policy),
    runtimeClassExists: await known(policiesOf(rules), runtimeClassExists),
  });
}

async function judgeInstance(source: FactSource, instance: SympoziumInstance): Promise<Verdict> {
  const { lookup } = source;
  const { namespace = 'default' } = instance.metadata;
  const rules = await lookup.rules(namespace, instance.spec.policy);
  const facts = {
    rules,
    noPolicy: lookup.noPolicy(namespace, instance.spec.policy),
    runtimeClassExists: await known(policiesOf(rules), source.runtimeClassExists),
  };
  const skills = await skillFacts(source.skills, instance);
  const packs = Object.values(skills.packs).filter((pack) => pack !== undefined);
  return join([
    admitInstance(instance, facts),
    admitSkills(instance, skills),
    admitSkillImages(instance, rules, packs, lookup.systemNamespace),
  ]);
}

async function judgePack({ skills }: FactSource, pack: SkillPack): Promise<Verdict> {
  const { systemNamespace } = skills;
  const shadowed = !skills.isSystem(pack) && (await skills.pack(systemNamespace, pack.metadata.name)) !== undefined;
  return admitSkillPack(pack, { systemNamespace, shadowed });
}

const judgePolicy = async ({ lookup, runtimeClassExists }: FactSource, policy: SympoziumPolicy): Promise<Verdict> =>
  admitPolicy(policy, {
    systemNamespace: lookup.systemNamespace,
    runtimeClassExists: await known([policy], runtimeClassExists),
  });

/** The RuntimeClasses that policies need, looked up before the rules run. */
async function known(
  policies: readonly SympoziumPolicy[],
  exists: FactSource['runtimeClassExists'],
): Promise<(name: string) => boolean> {
  const names = [...new Set(policies.flatMap(({ spec }) => spec.sandbox?.runtimeClass ?? []))];
  const there = await Promise.all(names.map(exists));
  return (asked) => there[names.indexOf(asked)] === true;
}

const policiesOf = (rules: Rules | undefined): readonly SympoziumPolicy[] =>
  rules === undefined ? [] : [rules.own, ...rules.floors];

const specOf = (object: KubeObject) => (object as KubeObject & { spec?: object }).spec;

/** An object may leave its namespace to the request. */
const inNamespace = (object: KubeObject, { namespace }: AdmissionRequest): KubeObject =>
  namespace === undefined ? object : { ...object, metadata: { ...object.metadata, namespace } };
