import type { SympoziumPolicy } from '../../../lib/api/v1alpha1/policy.ts';
import { ALLOWED, warn, type Verdict } from '../review.ts';

/** Lets policies name a sandbox that is still to be installed, and says so. */
export function admitPolicy({ spec }: SympoziumPolicy, runtimeClassExists: (name: string) => boolean): Verdict {
  const { enabled = false, runtimeClass } = spec.sandbox ?? {};
  if (!enabled || runtimeClass === undefined || runtimeClassExists(runtimeClass)) return ALLOWED;
  return warn(
    `RuntimeClass '${runtimeClass}' is not in this cluster: runs under this policy are refused until it is installed`,
  );
}
