import { join } from 'node:path';
import type { Verdict } from '../../lib/policy/decide.ts';
import type { SkillOffer } from '../bus/messages.ts';
import { Sidecar, type SidecarOptions } from './skills.ts';

/** What becomes of what sidecars write. */
export interface SidecarEars extends Pick<SidecarOptions, 'onResult' | 'onLog' | 'onBroken'> {
  readonly onRejected: (file: string, because: string, mailbox: string) => void;
  /** Whether the policy, as it is now, lets the run have a skill. */
  readonly allowed: (skill: string) => Verdict;
}

/** The sidecars of a run, each with its own mailbox beside the agent's. */
export const openSidecars = (
  mailboxes: string,
  offers: readonly SkillOffer[],
  { onRejected, allowed, ...ears }: SidecarEars,
): readonly Sidecar[] =>
  offers.map((offer) => {
    const name = `skill-${offer.name}`;
    return new Sidecar(offer, {
      ...ears,
      mailbox: join(mailboxes, name),
      allowed: () => allowed(offer.name),
      onRejected: (file, because) => {
        onRejected(file, because, name);
      },
    });
  });
