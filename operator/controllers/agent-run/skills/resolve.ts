import { decideImage } from '../../../../lib/policy/decide.ts';
import type { EffectivePolicy } from '../../../../lib/policy/effective.ts';
import { toolConflict } from '../../../../lib/policy/skill-pack.ts';
import type { AgentRun } from '../../../../lib/api/v1alpha1/agent-run.ts';
import type { SympoziumInstance } from '../../../../lib/api/v1alpha1/instance.ts';
import type { SkillLookup } from '../../../kube/skill-lookup.ts';
import type { PodSettings } from '../pod-spec.ts';
import type { Ending } from '../status.ts';
import type { Skill } from './skill.ts';

/** What skills are looked up with. */
export interface ResolveContext {
  readonly skills: SkillLookup;
  readonly settings: Pick<PodSettings, 'runtimeImage' | 'skillImages'>;
}

/** The skills of a run, each complete, or why the run can't have them: it never starts with fewer. */
export async function resolveSkills(
  { skills: lookup, settings }: ResolveContext,
  run: AgentRun,
  instance: SympoziumInstance,
  policy: EffectivePolicy,
): Promise<readonly Skill[] | Ending> {
  const { namespace = 'default' } = run.metadata;
  const { skills: names = [], skillConfig = {} } = instance.spec;
  const found: Skill[] = [];
  for (const name of names) {
    const pack = await lookup.pack(namespace, name);
    if (pack === undefined) return { reason: 'SkillPackNotFound', message: lookup.noPack(namespace, name) };
    const namespaces = skillConfig[name]?.namespaces ?? [namespace];
    const skill = { name, spec: pack.spec, namespaces, system: lookup.isSystem(pack) };
    const forbidden = imageForbidden(skill, policy, settings) ?? clusterRightsForbidden(skill, lookup);
    if (forbidden !== undefined) return forbidden;
    for (const target of namespaces) {
      const message = await lookup.closed(target, namespace);
      if (message !== undefined) return { reason: 'NamespaceNotOpen', message: `skill '${name}': ${message}` };
    }
    found.push(skill);
  }
  const message = toolConflict(found);
  return message === undefined ? found : { reason: 'ToolConflict', message };
}

/** The platform's own images are the administrator's choice already. */
function imageForbidden(
  { name, spec }: Skill,
  policy: EffectivePolicy,
  { runtimeImage, skillImages = {} }: ResolveContext['settings'],
): Ending | undefined {
  const image = spec.sidecar?.image;
  if (image === undefined || [runtimeImage, ...Object.values(skillImages)].includes(image)) return undefined;
  const verdict = decideImage(policy, image);
  if (verdict.allowed) return undefined;
  const message = `skill '${name}': image '${image}' is not allowed, because ${verdict.because}: use one that is, or have the policy changed`;
  return { reason: 'PolicyViolation', message };
}

/** Admission refuses such a pack; this is for one that came by another way. */
function clusterRightsForbidden({ name, spec, system }: Skill, { systemNamespace }: SkillLookup): Ending | undefined {
  if (system || (spec.clusterRBAC ?? []).length === 0) return undefined;
  const message = `skill '${name}': clusterRBAC is only for packs in namespace '${systemNamespace}': use rbac, or have the administrator put the pack there`;
  return { reason: 'ClusterRightsNotAllowed', message };
}
