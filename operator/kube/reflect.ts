import type { Log } from '../log.ts';
import { reflectorErrors, reflectorLists, reflectorWatches } from '../metrics/kube.ts';
import { backoffMs, sleep, type Clock } from '../runtime/clock.ts';
import type { KubeApi, KubeObject, Resource, Selection } from './port.ts';
import { Reflector, type Source } from './reflector.ts';
import { trimObject } from './trim.ts';

/** What caches need to keep themselves up to date. */
export interface CacheOptions {
  readonly kube: Pick<KubeApi, 'list' | 'watch'>;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
}

/** Makes a local copy of one kind that lives as long as its signal. */
export function reflect<T extends KubeObject>(
  resource: Resource<T>,
  { kube, clock, random, log }: CacheOptions,
  options: { readonly selection?: Selection; readonly trim?: (object: T) => T } = {},
): Reflector<T> {
  reflectorErrors.add({ kind: resource.kind }, 0);
  return new Reflector(sourceOf(kube, resource, options.selection), {
    trim: options.trim ?? trimObject,
    pause: (attempt, signal) => sleep(clock, backoffMs(attempt, { first: 200, most: 30_000, random }), signal),
    onError: (error) => {
      reflectorErrors.add({ kind: resource.kind });
      log.warn('Lost a watch, trying again', { kind: resource.kind, error });
    },
  });
}

/** The objects of one kind in a cluster, as a reflector asks for them. */
export const sourceOf = <T extends KubeObject>(
  kube: Pick<KubeApi, 'list' | 'watch'>,
  resource: Resource<T>,
  selection: Selection = {},
): Source<T> => ({
  list: (signal) => {
    reflectorLists.add({ kind: resource.kind });
    return kube.list(resource, selection, signal);
  },
  watch: (resourceVersion, signal) => {
    reflectorWatches.add({ kind: resource.kind });
    return kube.watch(resource, { ...selection, resourceVersion }, signal);
  },
});
