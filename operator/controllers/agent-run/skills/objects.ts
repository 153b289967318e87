import { LABELS } from '../../../../lib/api/group.ts';
import { keyFor, keyOf, type KubeObject, type Resource } from '../../../kube/port.ts';
import type { Reflector } from '../../../kube/reflector.ts';

/** An object that belongs to the skills of a run. */
export interface SkillObject {
  readonly resource: Resource<KubeObject>;
  readonly object: KubeObject;
}

/** The Roles, bindings and NetworkPolicies of all runs, by run: they are found wherever they are. */
export class SkillObjects {
  readonly #ofRun = new Map<string, Map<string, SkillObject>>();

  /** Takes in what a reflector knows, and hears. */
  follow<T extends KubeObject>(resource: Resource<T>, objects: Reflector<T>): void {
    objects.onChange((object) => {
      const run = runOf(object);
      if (run === undefined) return;
      const id = `${resource.kind} ${keyOf(object)}`;
      const known = this.#ofRun.get(run) ?? new Map<string, SkillObject>();
      const current = objects.get(keyOf(object));
      if (current === undefined) known.delete(id);
      else known.set(id, { resource, object: current });
      if (known.size === 0) this.#ofRun.delete(run);
      else this.#ofRun.set(run, known);
    });
  }

  /** What the run called `key` has. */
  of(key: string): readonly SkillObject[] {
    return [...(this.#ofRun.get(key)?.values() ?? [])];
  }

  /** The runs that have something, also those that are gone. */
  get runs(): readonly string[] {
    return [...this.#ofRun.keys()];
  }
}

/** The run that an object belongs to, as its labels say. */
export function runOf({ metadata }: KubeObject): string | undefined {
  const { [LABELS.run]: run, [LABELS.runNamespace]: namespace } = metadata.labels ?? {};
  return run === undefined || namespace === undefined ? undefined : keyFor(namespace, run);
}
