import { LABELS } from '../../lib/api/group.ts';
import type { AgentRun } from '../../lib/api/v1alpha1/agent-run.ts';
import { reflect, type CacheOptions } from '../kube/reflect.ts';
import type { Reflector } from '../kube/reflector.ts';
import { AGENT_RUNS } from '../kube/resources.ts';

/** The runs of the web endpoint of `instance`, without their texts: only whether they have ended is looked up here. */
export const reflectRuns = (namespace: string, instance: string, options: CacheOptions): Reflector<AgentRun> =>
  reflect(AGENT_RUNS, options, {
    selection: { namespace, labels: `${LABELS.endpoint}=${instance}` },
    trim: ({ apiVersion, kind, metadata, spec, status }) => ({
      apiVersion,
      kind,
      metadata: {
        name: metadata.name,
        ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }),
        ...(metadata.uid === undefined ? {} : { uid: metadata.uid }),
        ...(metadata.resourceVersion === undefined ? {} : { resourceVersion: metadata.resourceVersion }),
      },
      spec: { instanceRef: spec.instanceRef, input: '' },
      ...(status === undefined ? {} : { status: { phase: status.phase } }),
    }),
  });
