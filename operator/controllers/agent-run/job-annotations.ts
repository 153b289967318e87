import { GROUP } from '../../../lib/api/group.ts';

/** Annotations of a run's Job: what the run was started under, so that no later change of a policy alters its record. */
export const JOB_ANNOTATIONS = {
  policy: `${GROUP}/policy`,
  policyHash: `${GROUP}/policy-hash`,
  /** Time limit of this attempt, without the time in which it waits for people. */
  timeoutSeconds: `${GROUP}/timeout-seconds`,
  /** Which attempt at the run it is; left out, the first. */
  attempt: `${GROUP}/attempt`,
} as const;
