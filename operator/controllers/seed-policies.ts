import { BUILTIN_POLICIES } from '../../lib/policy/builtin.ts';
import { messageOf } from '../errors.ts';
import { isKubeError } from '../kube/errors.ts';
import type { KubeApi } from '../kube/port.ts';
import { POLICIES } from '../kube/resources.ts';
import type { Log } from '../log.ts';
import { sleep, type Clock } from '../runtime/clock.ts';

const RETRY_MS = 1_000;

/** What seeding needs. */
export interface SeedOptions {
  readonly kube: Pick<KubeApi, 'create'>;
  readonly namespace: string;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Creates the policies that ship with us where they are missing: one that is there is an administrator's to change.
 * Tries until it succeeds or the signal comes, because right after an installation the webhook doesn't answer yet.
 */
export async function seedPolicies({ kube, namespace, clock, log }: SeedOptions, signal: AbortSignal): Promise<void> {
  for (const policy of BUILTIN_POLICIES) {
    const object = { ...policy, metadata: { ...policy.metadata, namespace } };
    while (!signal.aborted) {
      try {
        await kube.create(POLICIES, object);
        log.info('Created a built-in policy', { policy: policy.metadata.name });
        break;
      } catch (error) {
        if (isKubeError(error, 'AlreadyExists')) break;
        log.warn('Could not create a built-in policy, trying again', {
          policy: policy.metadata.name,
          why: messageOf(error),
        });
        await sleep(clock, RETRY_MS, signal);
      }
    }
  }
}
