import type { SkillPack } from '../api/v1alpha1/skill-pack.ts';
import { egressHost } from './egress-host.ts';
import { execProblems, PLATFORM_TOOLS, schemaProblems } from './tool-schema.ts';

/** Schema of a tool that takes no arguments. */
export const NO_PARAMETERS = { type: 'object', properties: {}, additionalProperties: false } as const;

/**
 * What is wrong with a SkillPack by itself, a sentence each, with the field.
 *
 * @param systemNamespace namespace whose packs are the administrator's
 */
export function packProblems({ metadata, spec }: SkillPack, systemNamespace: string): string[] {
  const { tools = [], clusterRBAC = [], egress, sidecar } = spec;
  const clusterWide = clusterRBAC.length > 0 && metadata.namespace !== systemNamespace;
  return [
    ...(clusterWide
      ? [`spec.clusterRBAC is only for packs in namespace '${systemNamespace}': use rbac, or have the administrator put the pack there`] // prettier-ignore
      : []),
    ...tools.flatMap(({ name, parameters = NO_PARAMETERS, exec }) => {
      const reserved = PLATFORM_TOOLS.includes(name) ? ['the platform has a tool of this name: choose another'] : [];
      const byCommand = sidecar?.command === undefined;
      const problems = [...reserved, ...schemaProblems(parameters), ...execProblems(exec, parameters, byCommand)];
      return problems.map((problem) => `spec.tools '${name}': ${problem}`);
    }),
    ...(egress?.hosts ?? []).flatMap((text) => {
      const host = egressHost(text);
      return 'problem' in host ? [`spec.egress.hosts: ${host.problem}`] : [];
    }),
  ];
}

/** A sentence about a tool that two skills offer, or that a skill and the platform do. */
export function toolConflict(
  skills: readonly { readonly name: string; readonly spec: SkillPack['spec'] }[],
): string | undefined {
  const owners = new Map(PLATFORM_TOOLS.map((tool) => [tool, 'the platform']));
  for (const { name, spec } of skills) {
    for (const { name: tool } of spec.tools ?? []) {
      const owner = owners.get(tool);
      if (owner !== undefined) {
        return `tool '${tool}' is offered by skill '${name}' and by ${owner}: rename it, or leave out one of the skills`;
      }
      owners.set(tool, `skill '${name}'`);
    }
  }
  return undefined;
}
