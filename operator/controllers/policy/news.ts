import { keyOf, type KubeObject } from '../../kube/port.ts';
import type { Cache } from '../../kube/reflector.ts';

/**
 * Tells changes of what objects say from changes of their status, which come each time that an instance is created:
 * whoever looks at everything again needs to know only of the first kind.
 */
export function newsOf<T extends KubeObject>(objects: Pick<Cache<T>, 'get'>): (object: T) => boolean {
  const generations = new Map<string, number | undefined>();
  return (object) => {
    const key = keyOf(object);
    const now = objects.get(key);
    if (now === undefined) {
      generations.delete(key);
      return true;
    }
    const known = generations.has(key) && generations.get(key) === now.metadata.generation;
    generations.set(key, now.metadata.generation);
    return !known;
  };
}
