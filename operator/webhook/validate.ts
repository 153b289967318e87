import { isDeepStrictEqual } from 'node:util';
import type { AgentRun } from '../../lib/api/v1alpha1/agent-run.ts';
import type { SympoziumInstance } from '../../lib/api/v1alpha1/instance.ts';
import type { SympoziumPolicy } from '../../lib/api/v1alpha1/policy.ts';
import type { Lookup } from '../kube/lookup.ts';
import type { KubeObject } from '../kube/port.ts';
import { ALLOWED, join, type AdmissionRequest, type Verdict } from './review.ts';
import { admitRun } from './rules/agent-run.ts';
import { hasEffect, requestedByIsKept } from './rules/common.ts';
import { admitInstance } from './rules/instance.ts';
import { admitPolicy } from './rules/policy.ts';

/** Where the facts come from that rules decide by. */
export interface FactSource {
  readonly lookup: Lookup;
  /** Asks the cluster when the local copy has no such RuntimeClass. */
  readonly runtimeClassExists: (name: string) => Promise<boolean>;
}

/** Judges one request. Whatever isn't a new or changed spec of ours is allowed. */
export async function validate(source: FactSource, request: AdmissionRequest): Promise<Verdict> {
  const { operation, subResource, kind, object, oldObject } = request;
  if (object === undefined || object === null || (subResource ?? '') !== '') return ALLOWED;
  if (operation !== 'CREATE' && operation !== 'UPDATE') return ALLOWED;
  if (object.metadata.deletionTimestamp !== undefined) return ALLOWED; // what is going must be able to go
  const before = oldObject ?? undefined;
  const kept = requestedByIsKept(before, object);
  if (before !== undefined && isDeepStrictEqual(specOf(before), specOf(object))) return kept;

  // The spec of a run can't be changed, but for `cancelled`, which is always welcome.
  if (kind.kind === 'AgentRun' && before !== undefined) return kept;
  const verdict = await judge(source, inNamespace(object, request), kind.kind);
  return join([kept, hasEffect(kind.kind, specOf(object) ?? {}), verdict]);
}

function judge(source: FactSource, object: KubeObject, kind: string): Promise<Verdict> | Verdict {
  switch (kind) {
    case 'AgentRun':
      return judgeRun(source, object as AgentRun);
    case 'SympoziumInstance':
      return judgeInstance(source, object as SympoziumInstance);
    case 'SympoziumPolicy':
      return judgePolicy(source, object as SympoziumPolicy);
    default:
      return ALLOWED;
  }
}

async function judgeRun({ lookup, runtimeClassExists }: FactSource, run: AgentRun): Promise<Verdict> {
  const { namespace = 'default' } = run.metadata;
  const instance = await lookup.instance(namespace, run.spec.instanceRef);
  const policy = instance === undefined ? undefined : await lookup.policy(namespace, instance.spec.policy);
  return admitRun(run, {
    instance,
    policy,
    noPolicy: lookup.noPolicy(namespace, instance?.spec.policy),
    runtimeClassExists: await known(policy, runtimeClassExists),
  });
}

async function judgeInstance({ lookup }: FactSource, instance: SympoziumInstance): Promise<Verdict> {
  const { namespace = 'default' } = instance.metadata;
  const policyExists = (await lookup.policy(namespace, instance.spec.policy)) !== undefined;
  return admitInstance(instance, { policyExists, noPolicy: lookup.noPolicy(namespace, instance.spec.policy) });
}

const judgePolicy = async ({ runtimeClassExists }: FactSource, policy: SympoziumPolicy): Promise<Verdict> =>
  admitPolicy(policy, await known(policy, runtimeClassExists));

/** The one RuntimeClass that a policy may need, looked up before the rules run. */
async function known(
  policy: SympoziumPolicy | undefined,
  exists: FactSource['runtimeClassExists'],
): Promise<(name: string) => boolean> {
  const name = policy?.spec.sandbox?.runtimeClass;
  const there = name !== undefined && (await exists(name));
  return (asked) => asked === name && there;
}

const specOf = (object: KubeObject) => (object as KubeObject & { spec?: object }).spec;

/** An object may leave its namespace to the request. */
const inNamespace = (object: KubeObject, { namespace }: AdmissionRequest): KubeObject =>
  namespace === undefined ? object : { ...object, metadata: { ...object.metadata, namespace } };
