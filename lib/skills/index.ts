import type { SkillPack } from '../api/v1alpha1/skill-pack.ts';
import { githubGitops } from './github-gitops.ts';
import { incidentResponse } from './incident-response.ts';
import { k8sOps } from './k8s-ops.ts';
import type { SkillImages } from './pack.ts';
import { sreObservability } from './sre-observability.ts';
import { webEndpoint } from './web-endpoint.ts';

export type { SkillImages } from './pack.ts';

/** The packs that ship with us, without a namespace; they belong into the system namespace. */
export const builtinSkillPacks = (images: SkillImages): SkillPack[] => [
  k8sOps(images),
  sreObservability(images),
  incidentResponse(images),
  githubGitops(images),
  webEndpoint(),
];
