import { ANNOTATIONS } from '../../lib/api/group.ts';
import type { SkillPack } from '../../lib/api/v1alpha1/skill-pack.ts';
import { keyFor, type KubeApi } from './port.ts';
import type { Cache } from './reflector.ts';
import { NAMESPACES, SKILL_PACKS, type Namespace } from './resources.ts';

/** The local copies that are asked first. */
export interface SkillCaches {
  readonly skillPacks: Cache<SkillPack>;
  readonly namespaces: Cache<Namespace>;
}

/** Finds SkillPacks, and the namespaces that let others' skills in. On a miss the cluster is asked: a copy lags behind. */
export class SkillLookup {
  readonly #kube: Pick<KubeApi, 'get'>;
  readonly #caches: SkillCaches;
  readonly systemNamespace: string;

  constructor(kube: Pick<KubeApi, 'get'>, caches: SkillCaches, systemNamespace: string) {
    this.#kube = kube;
    this.#caches = caches;
    this.systemNamespace = systemNamespace;
  }

  /**
   * The pack that an instance of `namespace` means. The system namespace comes first, so that nobody can put a pack of
   * their own in the place of the administrator's.
   */
  async pack(namespace: string, name: string): Promise<SkillPack | undefined> {
    const { skillPacks } = this.#caches;
    return (
      skillPacks.get(keyFor(this.systemNamespace, name)) ??
      skillPacks.get(keyFor(namespace, name)) ??
      (await this.#kube.get(SKILL_PACKS, { namespace: this.systemNamespace, name })) ??
      (await this.#kube.get(SKILL_PACKS, { namespace, name }))
    );
  }

  /** Whether a pack is the administrator's. */
  isSystem({ metadata }: Pick<SkillPack, 'metadata'>): boolean {
    return metadata.namespace === this.systemNamespace;
  }

  /** Sentence for a pack that isn't there. */
  noPack(namespace: string, name: string): string {
    const usable = this.#caches.skillPacks
      .list()
      .filter(({ metadata }) => metadata.namespace === namespace || metadata.namespace === this.systemNamespace);
    const names = [...new Set(usable.map(({ metadata }) => `'${metadata.name}'`))].sort();
    const known = names.length === 0 ? 'there are none' : `there are ${names.join(', ')}`;
    return `SkillPack '${name}' is neither in namespace '${this.systemNamespace}' nor in '${namespace}': create it, or name another one (${known})`;
  }

  /** Why skills of instances in `from` may not work in namespace `target`; `undefined` when they may. */
  async closed(target: string, from: string): Promise<string | undefined> {
    if (target === from) return undefined;
    const opens = ({ metadata }: Namespace): boolean => {
      const names = (metadata.annotations?.[ANNOTATIONS.skillsFrom] ?? '').split(',').map((name) => name.trim());
      return names.includes('*') || names.includes(from);
    };
    const known = this.#caches.namespaces.get(keyFor(undefined, target));
    if (known !== undefined && opens(known)) return undefined;
    const there = await this.#kube.get(NAMESPACES, { name: target }); // the copy may lag behind
    if (there === undefined) return `namespace '${target}' does not exist: create it, or name another one`;
    if (opens(there)) return undefined;
    return `namespace '${target}' is not open to skills from '${from}': have its administrator annotate it with ${ANNOTATIONS.skillsFrom}=${from}`;
  }
}
