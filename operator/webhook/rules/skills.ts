import type { SympoziumInstance } from '../../../lib/api/v1alpha1/instance.ts';
import type { SkillPack } from '../../../lib/api/v1alpha1/skill-pack.ts';
import { toolConflict } from '../../../lib/policy/skill-pack.ts';
import { builtinSkillPacks } from '../../../lib/skills/index.ts';
import type { SkillLookup } from '../../kube/skill-lookup.ts';
import { ALLOWED, join, refuse, warn, type Verdict } from '../review.ts';

/** What is known of the skills that an instance names. */
export interface SkillFacts {
  /** By name; `undefined` for one that isn't there. */
  readonly packs: Readonly<Record<string, SkillPack | undefined>>;
  /** Sentence for a pack that isn't there. */
  readonly noPack: (name: string) => string;
  /** Sentences for namespaces that skills may not work in, by namespace. */
  readonly closed: Readonly<Record<string, string | undefined>>;
}

const BUILTIN = new Set(builtinSkillPacks({ runtime: '', kubectl: '', git: '' }).map(({ metadata }) => metadata.name));

/** Looks up all that the rules about an instance's skills ask for. */
export async function skillFacts(
  lookup: Pick<SkillLookup, 'pack' | 'noPack' | 'closed'>,
  { metadata, spec }: SympoziumInstance,
): Promise<SkillFacts> {
  const { namespace = 'default' } = metadata;
  const targets = Object.values(spec.skillConfig ?? {}).flatMap(({ namespaces = [] }) => namespaces);
  const packs = await Promise.all(
    (spec.skills ?? []).map(async (name) => [name, await lookup.pack(namespace, name)] as const),
  );
  const closed = await Promise.all(
    [...new Set(targets)].map(async (target) => [target, await lookup.closed(target, namespace)] as const),
  );
  return {
    packs: Object.fromEntries(packs),
    noPack: (name) => lookup.noPack(namespace, name),
    closed: Object.fromEntries(closed),
  };
}

/** Refuses skills that are not there or not the instance's, and warns of namespaces that are not open to them. */
export function admitSkills({ spec }: SympoziumInstance, { packs, noPack, closed }: SkillFacts): Verdict {
  const { skills = [], skillConfig = {} } = spec;
  const found = skills.flatMap((name) => {
    const pack = packs[name];
    return pack === undefined ? [] : [{ name, spec: pack.spec }];
  });
  const conflict = toolConflict(found);
  return join([
    ...skills.map((name) => {
      if (packs[name] !== undefined) return ALLOWED;
      // The platform makes these by itself, a moment after its controller has started.
      return BUILTIN.has(name) ? warn(noPack(name)) : refuse(`spec.skills: ${noPack(name)}`);
    }),
    conflict === undefined ? ALLOWED : refuse(`spec.skills: ${conflict}`),
    ...Object.entries(skillConfig).flatMap(([name, { namespaces = [] }]) => [
      skills.includes(name)
        ? ALLOWED
        : refuse(
            `spec.skillConfig configures '${name}', which is not in spec.skills: add it there, or remove its settings`,
          ),
      ...namespaces.map((namespace) => {
        const because = closed[namespace];
        // Whoever owns that namespace may open it later; until then no run starts.
        return because === undefined ? ALLOWED : warn(`spec.skillConfig.${name}.namespaces: ${because}`);
      }),
    ]),
  ]);
}
