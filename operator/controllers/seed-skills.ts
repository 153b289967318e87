import { createHash } from 'node:crypto';
import { GROUP } from '../../lib/api/group.ts';
import type { SkillPack } from '../../lib/api/v1alpha1/skill-pack.ts';
import { canonicalJson } from '../../lib/policy/canonical.ts';
import { messageOf } from '../errors.ts';
import { isKubeError } from '../kube/errors.ts';
import type { KubeApi } from '../kube/port.ts';
import { SKILL_PACKS } from '../kube/resources.ts';
import type { Log } from '../log.ts';
import { sleep, type Clock } from '../runtime/clock.ts';

const RETRY_MS = 1_000;

/** Marks the packs that ship with us. Without it, a pack of the same name is an administrator's own, and left alone. */
export const BUILTIN_LABEL = `${GROUP}/builtin`;
/** Fingerprint of what was shipped: another one means another version. */
const SHIPPED = `${GROUP}/shipped`;

/** What seeding needs. */
export interface SeedSkillsOptions {
  readonly kube: Pick<KubeApi, 'get' | 'create' | 'replace'>;
  readonly packs: readonly SkillPack[];
  readonly namespace: string;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Creates the packs that ship with us where they are missing, and brings those of another version up to date. Between
 * versions, an administrator's changes stay. Tries until it succeeds or the signal comes.
 */
export async function seedSkills(options: SeedSkillsOptions, signal: AbortSignal): Promise<void> {
  const { packs, clock, log } = options;
  for (const pack of packs) {
    while (!signal.aborted) {
      try {
        const done = await seed(options, pack);
        if (done !== undefined) log.info(`${done} a built-in skill`, { skill: pack.metadata.name });
        break;
      } catch (error) {
        const fields = { skill: pack.metadata.name, why: messageOf(error) };
        log.warn('Could not bring a built-in skill up to date, trying again', fields);
        await sleep(clock, RETRY_MS, signal);
      }
    }
  }
}

async function seed(
  { kube, namespace }: SeedSkillsOptions,
  { apiVersion, kind, metadata: { name }, spec }: SkillPack,
): Promise<'Created' | 'Updated' | undefined> {
  const shipped = createHash('sha256').update(canonicalJson(spec)).digest('hex').slice(0, 12);
  const existing = await kube.get(SKILL_PACKS, { namespace, name });
  const { labels, annotations } = existing?.metadata ?? {};
  if (existing !== undefined && (labels?.[BUILTIN_LABEL] !== 'true' || annotations?.[SHIPPED] === shipped)) return;
  const metadata = {
    ...(existing?.metadata ?? { name, namespace }),
    labels: { ...labels, [BUILTIN_LABEL]: 'true' },
    annotations: { ...annotations, [SHIPPED]: shipped },
  };
  const object: SkillPack = { apiVersion, kind, metadata, spec };
  try {
    await (existing === undefined ? kube.create(SKILL_PACKS, object) : kube.replace(SKILL_PACKS, object));
  } catch (error) {
    if (isKubeError(error, 'AlreadyExists')) return undefined; // another replica was first
    throw error;
  }
  return existing === undefined ? 'Created' : 'Updated';
}
