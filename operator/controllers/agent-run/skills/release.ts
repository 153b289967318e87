import { ANNOTATIONS } from '../../../../lib/api/group.ts';
import { isFinished, type AgentRun } from '../../../../lib/api/v1alpha1/agent-run.ts';
import type { KubeApi } from '../../../kube/port.ts';
import { AGENT_RUNS } from '../../../kube/resources.ts';
import type { Log } from '../../../log.ts';
import type { SkillObjects } from './objects.ts';

/** What rights are taken back with. */
export interface ReleaseContext {
  readonly kube: Pick<KubeApi, 'get' | 'delete'>;
  readonly caches: { readonly skillObjects: SkillObjects };
  readonly log: Log;
}

/**
 * Deletes the Roles, bindings and NetworkPolicies of the run called `key` that nobody needs any more: all when the run is
 * over or gone, else those of an earlier run of its name. It looks at what is there and not at what happened, so nothing
 * is left by a controller that was away.
 */
export async function releaseSkills(context: ReleaseContext, key: string, run: AgentRun | undefined): Promise<void> {
  const { kube, caches, log } = context;
  const there = caches.skillObjects.of(key).filter(({ object }) => object.metadata.deletionTimestamp === undefined);
  if (there.length === 0) return;
  const live = await liveUid(context, key, run);
  const left = there.filter(({ object }) => object.metadata.annotations?.[ANNOTATIONS.runUid] !== live);
  await Promise.all(left.map(({ resource, object }) => kube.delete(resource, object.metadata, { uid: object.metadata.uid }))); // prettier-ignore
  if (left.length > 0) log.info('Took back the rights of a run', { run: key, objects: left.length });
}

/** Identity of the run that may keep what it has. The copy of runs may lag behind: that one is missing is asked twice. */
async function liveUid(
  { kube }: ReleaseContext,
  key: string,
  known: AgentRun | undefined,
): Promise<string | undefined> {
  const [namespace = '', name = ''] = key.split('/');
  const run = known ?? (await kube.get(AGENT_RUNS, { namespace, name }));
  if (run === undefined || run.metadata.deletionTimestamp !== undefined || isFinished(run)) return undefined;
  return run.metadata.uid;
}
