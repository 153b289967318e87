import type { AgentRun } from '../../lib/api/v1alpha1/agent-run.ts';
import { isFinished } from '../../lib/api/v1alpha1/agent-run.ts';
import type { KubeObject } from './port.ts';
import type { Job, Pod } from './resources.ts';

/** Without what only kubectl reads: `managedFields` is often larger than the object. */
export function trimObject<T extends KubeObject>(object: T): T {
  const { managedFields: _, ...metadata } = object.metadata as T['metadata'] & { managedFields?: unknown };
  const { 'kubectl.kubernetes.io/last-applied-configuration': _applied, ...annotations } = metadata.annotations ?? {};
  return { ...object, metadata: { ...metadata, annotations } };
}

/** Metadata, and nothing else: all that anyone asks of a Namespace. */
export function trimToMetadata<T extends KubeObject>(object: T): KubeObject {
  const { apiVersion, kind, metadata } = trimObject(object);
  return { apiVersion, kind, metadata };
}

/** Metadata of an object whose content only the API server acts on. */
export const trimContent = <T extends KubeObject>(object: T): T => trimToMetadata(object) as T;

/** A Pod's identity and state, without its spec. */
export function trimPod({ apiVersion, kind, metadata, spec, status }: Pod): Pod {
  const { name, namespace, uid, resourceVersion, creationTimestamp, deletionTimestamp, labels, ownerReferences } =
    metadata;
  return {
    apiVersion,
    kind,
    metadata: {
      name,
      namespace,
      uid,
      resourceVersion,
      creationTimestamp,
      deletionTimestamp,
      labels,
      ownerReferences,
    },
    spec: spec?.nodeName === undefined ? {} : { nodeName: spec.nodeName },
    status: {
      ...(status?.phase === undefined ? {} : { phase: status.phase }),
      ...(status?.reason === undefined ? {} : { reason: status.reason }),
      ...(status?.message === undefined ? {} : { message: status.message }),
      conditions: (status?.conditions ?? []).filter(
        ({ type }) => type === 'PodScheduled' || type === 'DisruptionTarget',
      ),
      containerStatuses: (status?.containerStatuses ?? []).map(({ name: container, state }) => ({
        name: container,
        state: state ?? {},
      })),
    },
  };
}

/** A Job's identity and state, without its Pod template. */
export function trimJob(job: Job): Job {
  const { spec: _, ...rest } = trimObject(job);
  return rest;
}

/** A finished run without its texts: thousands may be kept, and nobody here reads what they said. */
export function trimRun(run: AgentRun): AgentRun {
  const trimmed = trimObject(run);
  if (!isFinished(run) || run.status === undefined) return trimmed;
  const { output: _, ...status } = run.status;
  const { history: _said, ...spec } = run.spec;
  return { ...trimmed, spec: { ...spec, input: '' }, status };
}
