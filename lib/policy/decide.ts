import type { EffectivePolicy } from './effective.ts';
import { matchesGlob, matchesHost, matchesRegistry } from './match.ts';

/** Whether something is allowed; `because` names the rule that forbids it. */
export type Verdict = { readonly allowed: true } | { readonly allowed: false; readonly because: string };

/** What becomes of a call to a tool. `because` names the rule and how to change it. */
export type ToolDecision =
  | { readonly effect: 'allow' }
  | { readonly effect: 'approve'; readonly because: string }
  | { readonly effect: 'deny'; readonly because: string };

/** The sandbox of a Pod: none, one RuntimeClass, or a sentence that says why there can be none. */
export type Sandbox = { readonly runtimeClass?: string } | { readonly conflict: string };

const ALLOWED: Verdict = { allowed: true };

/** Decides a call to `tool`: the strictest layer wins. Adding a layer never widens the result. */
export function decideTool({ layers }: Pick<EffectivePolicy, 'layers'>, tool: string): ToolDecision {
  for (const { source, allow, deny } of layers) {
    if (deny.includes(tool)) return { effect: 'deny', because: `${source} denies it` };
    if (allow?.includes(tool) === false) return { effect: 'deny', because: `${source} does not list it as allowed` };
  }
  const asking = layers.find(({ approve }) => approve.includes(tool));
  return asking === undefined
    ? { effect: 'allow' }
    : { effect: 'approve', because: `${asking.source} asks for a person's approval` };
}

/**
 * Decides whether a tool may connect to `host`, a name or an address without port.
 *
 * @param where whether the host is inside of the cluster, which its name alone does not say
 */
export function decideHost(
  { egress }: Pick<EffectivePolicy, 'egress'>,
  host: string,
  { inCluster }: { readonly inCluster: boolean },
): Verdict {
  for (const { source, mode, hosts } of egress) {
    if (mode === 'None') return deny(`${source} allows no connections (egress.mode None)`);
    if (mode === 'Web' && inCluster) return deny(`${source} allows no hosts inside of the cluster (egress.mode Web)`);
    if (hosts?.some((pattern) => matchesHost(pattern, host)) === false) {
      return deny(`${source} does not list '${host}' in egress.hosts`);
    }
  }
  return ALLOWED;
}

/** Decides whether `model`, as `provider/model`, may be asked. */
export function decideModel({ models }: Pick<EffectivePolicy, 'models'>, model: string): Verdict {
  const forbidding = models.find(({ allowed }) => !allowed.some((pattern) => matchesGlob(pattern, model)));
  return forbidding === undefined ? ALLOWED : deny(`${forbidding.source} does not list it in models.allowed`);
}

/** Decides whether the SkillPack called `name` may be used. */
export function decideSkill({ skills }: Pick<EffectivePolicy, 'skills'>, name: string): Verdict {
  const forbidding = skills.find(({ allowed }) => !allowed.includes(name));
  return forbidding === undefined ? ALLOWED : deny(`${forbidding.source} does not list it in skills.allowed`);
}

/**
 * Decides whether a container may run `image`. Only images that someone names are asked about: the runtime image is the
 * platform's own.
 */
export function decideImage({ images }: Pick<EffectivePolicy, 'images'>, image: string): Verdict {
  const forbidding = images.find(({ registries }) => !registries.some((entry) => matchesRegistry(entry, image)));
  return forbidding === undefined
    ? ALLOWED
    : deny(`${forbidding.source} does not list its origin in images.registries`);
}

/** The RuntimeClass of the Pod. Two policies that ask for different ones can't both be obeyed. */
export function sandboxOf({ runtimeClasses }: Pick<EffectivePolicy, 'runtimeClasses'>): Sandbox {
  const [first] = runtimeClasses;
  if (first === undefined) return {};
  const other = runtimeClasses.find(({ name }) => name !== first.name);
  if (other === undefined) return { runtimeClass: first.name };
  return {
    conflict: `${first.source} asks for RuntimeClass '${first.name}' and ${other.source} for '${other.name}', but a Pod has only one: choose a policy that asks for the same one, or have one of them changed`,
  };
}

const deny = (because: string): Verdict => ({ allowed: false, because });
