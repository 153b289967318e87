import { keyOf } from '../../kube/port.ts';
import type { WorkQueue } from '../../runtime/work-queue.ts';
import type { Caches } from '../caches.ts';
import type { Places } from './places.ts';

/** Tells who holds places what becomes of the runs, and has those looked at again that a place may have come free for. */
export function feedQueue(caches: Caches, places: Places, runs: Pick<WorkQueue, 'add'>): void {
  const look = (keys: readonly string[]) => {
    for (const key of keys) runs.add(key);
  };
  caches.runs.onChange((run) => {
    look(places.heardOf(run, caches.runs.get(keyOf(run))?.metadata.uid === run.metadata.uid));
  });
  // Their limits may have changed.
  caches.instances.onChange((instance) => {
    look(places.waiting(keyOf(instance)));
  });
  for (const cache of [caches.policies, caches.namespaces]) {
    cache.onChange(() => {
      look(places.waiting());
    });
  }
  for (const run of caches.runs.list()) places.heardOf(run, true);
}
