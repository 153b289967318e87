import { createHash } from 'node:crypto';
import { LABELS, runChildName } from '../../../lib/api/group.ts';
import type { AgentRun } from '../../../lib/api/v1alpha1/agent-run.ts';
import type { ObjectMeta } from '../../../lib/api/metadata.ts';
import { canonicalJson } from '../../../lib/policy/canonical.ts';
import type { EffectivePolicy } from '../../../lib/policy/effective.ts';
import type { Job, ServiceAccount } from '../../kube/resources.ts';
import { LONGEST_WAIT_SECONDS } from '../tool-approval/waited.ts';
import { JOB_ANNOTATIONS } from './job-annotations.ts';
import { podSpec, type PodParts } from './pod-spec.ts';
import { runTimeoutSeconds } from './timeout.ts';

/** What a run's children are computed from: nothing here is fetched, guessed or timed. */
export interface Observed extends PodParts {
  /** Another attempt at the run, and the seconds that it has left. Left out: the first one, with all its time. */
  readonly again?: { readonly attempt: number; readonly secondsLeft: number };
}

export { JOB_ANNOTATIONS } from './job-annotations.ts';

/** Our own timer ends a run; Kubernetes does it this much later if no controller runs. */
const BACKSTOP_SECONDS = 60;

/** The identity of a run: it has no permission in the cluster, and dies with the run. */
export const serviceAccount = (run: AgentRun): ServiceAccount => ({
  apiVersion: 'v1',
  kind: 'ServiceAccount',
  metadata: ownedBy(run),
  automountServiceAccountToken: false,
});

/** The Job that executes a run once. Pure: the same input always gives the same output. */
export function job(observed: Observed): Job {
  const { run, instance, policy, again } = observed;
  const timeoutSeconds = again?.secondsLeft ?? runTimeoutSeconds(run, instance, policy);
  const waitSeconds = policy.layers.some(({ approve }) => approve.length > 0) ? LONGEST_WAIT_SECONDS : 0;
  const metadata = ownedBy(run);
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: {
      ...metadata,
      annotations: {
        [JOB_ANNOTATIONS.policy]: policy.name,
        [JOB_ANNOTATIONS.policyHash]: policyHash(policy),
        [JOB_ANNOTATIONS.timeoutSeconds]: String(timeoutSeconds),
        ...(again === undefined ? {} : { [JOB_ANNOTATIONS.attempt]: String(again.attempt) }),
      },
    },
    spec: {
      backoffLimit: 0, // a run is an event: trying it again would answer the same message twice
      podReplacementPolicy: 'Failed',
      activeDeadlineSeconds: timeoutSeconds + waitSeconds + BACKSTOP_SECONDS,
      template: {
        metadata: { labels: metadata.labels },
        spec: podSpec(observed),
      },
    },
  };
}

/** Fingerprint of the rules: equal for equal rules, whatever the order of their fields. */
export const policyHash = (policy: EffectivePolicy): string =>
  createHash('sha256').update(canonicalJson(policy)).digest('hex').slice(0, 12);

/** Name, labels and owner of a run's children: they are deleted with the run. */
function ownedBy(run: AgentRun): ObjectMeta {
  const { name, namespace, uid = '' } = run.metadata;
  return {
    name: runChildName(name),
    ...(namespace === undefined ? {} : { namespace }),
    labels: { [LABELS.component]: 'run', [LABELS.run]: name, [LABELS.instance]: run.spec.instanceRef },
    ownerReferences: [
      { apiVersion: run.apiVersion, kind: run.kind, name, uid, controller: true, blockOwnerDeletion: true },
    ],
  };
}
