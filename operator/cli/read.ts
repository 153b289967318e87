import type { SkillPack } from '../../lib/api/v1alpha1/skill-pack.ts';
import { BUILTIN_TOOLS } from '../ipc/builtin-tools.ts';
import { isKubeError } from '../kube/errors.ts';
import { Lookup } from '../kube/lookup.ts';
import { keyOf, type KubeApi, type KubeObject } from '../kube/port.ts';
import type { Cache } from '../kube/reflector.ts';
import { POLICIES, RUNTIME_CLASSES, SKILL_PACKS } from '../kube/resources.ts';
import type { Question } from './explain.ts';

/** A reason why there is no answer, in one sentence for people. */
export class CliError extends Error {
  override readonly name = 'CliError';
}

/** Which instance is asked about. */
export interface Subject {
  readonly namespace: string;
  readonly name: string;
  readonly systemNamespace: string;
}

type Reader = Pick<KubeApi, 'get' | 'list'>;

/**
 * Reads from the cluster what the rules of an instance follow from.
 *
 * @throws CliError when something is not there, or may not be read
 */
export async function read(kube: Reader, { namespace, name, systemNamespace }: Subject): Promise<Question> {
  const [policies, central] = await Promise.all(
    [namespace, systemNamespace].map((where) =>
      allowed(`list SympoziumPolicies in namespace '${where}'`, kube.list(POLICIES, { namespace: where })),
    ),
  );
  const all = new Map([...(policies?.items ?? []), ...(central?.items ?? [])].map((policy) => [keyOf(policy), policy]));
  const caches = { instances: cacheOf([]), policies: cacheOf([...all.values()]), namespaces: cacheOf([]) };
  const lookup = new Lookup(kube, caches, systemNamespace);
  const instance = await allowed(
    `read SympoziumInstances in namespace '${namespace}'`,
    lookup.instance(namespace, name),
  );
  if (instance === undefined) {
    throw new CliError(
      `SympoziumInstance '${name}' is not in namespace '${namespace}': correct the name, or name its namespace with --namespace`,
    );
  }
  const rules = await allowed(`read Namespace '${namespace}'`, lookup.rules(namespace, instance.spec.policy));
  if (rules === undefined) throw new CliError(lookup.noPolicy(namespace, instance.spec.policy));

  const names = [rules.own, ...rules.floors].flatMap(({ spec }) => spec.sandbox?.runtimeClass ?? []);
  const classes = await Promise.all(names.map((one) => isThere(kube.get(RUNTIME_CLASSES, { name: one }))));
  const packs = await Promise.all(
    (instance.spec.skills ?? []).map((skill) => findPack(kube, skill, [systemNamespace, namespace])),
  );
  return {
    rules,
    instance,
    tools: [
      ...BUILTIN_TOOLS.map((tool) => tool.name),
      ...packs.flatMap((pack) => (pack?.spec.tools ?? []).map((tool) => tool.name)),
    ],
    runtimeClassExists: (one) => classes[names.indexOf(one)],
  };
}

/** A complete copy that was made a moment ago. */
function cacheOf<T extends KubeObject>(objects: readonly T[]): Cache<T> {
  const byKey = new Map(objects.map((object) => [keyOf(object), object]));
  return { get: (key) => byKey.get(key), list: () => [...objects], synced: true };
}

/** Without this there is no true answer: what can't be read may be what forbids. */
async function allowed<T>(action: string, reading: Promise<T>): Promise<T> {
  try {
    return await reading;
  } catch (error) {
    if (!isKubeError(error, 'Forbidden', 'Unauthorized')) throw error;
    throw new CliError(
      `you may not ${action}, so nobody can say what holds: ask an administrator, or use another --context`,
    );
  }
}

/** Whether an object is there; `undefined` where nobody may look. */
async function isThere(reading: Promise<KubeObject | undefined>): Promise<boolean | undefined> {
  try {
    return (await reading) !== undefined;
  } catch (error) {
    if (isKubeError(error, 'Forbidden')) return undefined;
    throw error;
  }
}

/** The SkillPack of a skill, where it is found first; missing where it is not there, or may not be read. */
async function findPack(kube: Reader, name: string, namespaces: readonly string[]): Promise<SkillPack | undefined> {
  for (const namespace of namespaces) {
    try {
      const pack = await kube.get(SKILL_PACKS, { namespace, name });
      if (pack !== undefined) return pack;
    } catch (error) {
      if (!isKubeError(error, 'Forbidden')) throw error;
    }
  }
  return undefined;
}
