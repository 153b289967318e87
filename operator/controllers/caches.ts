import { LABELS } from '../../lib/api/group.ts';
import { MANAGED_BY } from '../../lib/policy/network.ts';
import { keyFor, keyOf, type KubeObject, type Selection } from '../kube/port.ts';
import { reflect, type CacheOptions } from '../kube/reflect.ts';
import { Reflector } from '../kube/reflector.ts';
import {
  AGENT_RUNS, INSTANCES, JOBS, MCP_SERVERS, NETWORK_POLICIES, PERSONA_PACKS, PODS, POLICIES, SCHEDULES, SERVICE_ACCOUNTS,
  SKILL_PACKS, TOOL_APPROVALS, type Pod,
} from '../kube/resources.ts'; // prettier-ignore
import { trimJob, trimPod, trimRun } from '../kube/trim.ts';

const RUN_CHILDREN: Selection = { labels: `${LABELS.component}=run` };
const OURS: Selection = {
  labels: Object.entries(MANAGED_BY)
    .map(([name, value]) => `${name}=${value}`)
    .join(','),
};

/** Every local copy that the controller keeps. */
export class Caches {
  readonly runs;
  readonly instances;
  readonly policies;
  readonly schedules;
  readonly personaPacks;
  readonly skillPacks;
  readonly mcpServers;
  readonly toolApprovals;
  readonly jobs;
  readonly pods;
  readonly serviceAccounts;
  readonly networkPolicies;
  /** Key of the newest Pod of each run. */
  readonly #podOfRun = new Map<string, string>();

  constructor(options: CacheOptions) {
    this.runs = reflect(AGENT_RUNS, options, { trim: trimRun });
    this.instances = reflect(INSTANCES, options);
    this.policies = reflect(POLICIES, options);
    this.schedules = reflect(SCHEDULES, options);
    this.personaPacks = reflect(PERSONA_PACKS, options);
    this.skillPacks = reflect(SKILL_PACKS, options);
    this.mcpServers = reflect(MCP_SERVERS, options);
    this.toolApprovals = reflect(TOOL_APPROVALS, options);
    this.jobs = reflect(JOBS, options, { selection: RUN_CHILDREN, trim: trimJob });
    this.pods = reflect(PODS, options, { selection: RUN_CHILDREN, trim: trimPod });
    this.serviceAccounts = reflect(SERVICE_ACCOUNTS, options, { selection: RUN_CHILDREN });
    this.networkPolicies = reflect(NETWORK_POLICIES, options, { selection: OURS });
    this.pods.onChange((pod) => {
      this.#indexPod(pod);
    });
  }

  /** What has not been listed yet, or `undefined` when every copy is complete. */
  get missing(): string | undefined {
    const names = Object.entries(this.#all())
      .filter(([, cache]) => !cache.synced)
      .map(([name]) => name);
    return names.length === 0 ? undefined : `not listed yet: ${names.join(', ')}`;
  }

  /** The Pod of a run that belongs to the Job with this uid. */
  podOfRun(runKey: string, jobUid: string | undefined): Pod | undefined {
    const pod = this.pods.get(this.#podOfRun.get(runKey) ?? '');
    return pod?.metadata.ownerReferences?.some(({ uid }) => uid === jobUid) === true ? pod : undefined;
  }

  /** Keeps all copies up to date until the signal. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all(Object.values(this.#all()).map((cache) => cache.run(signal)));
  }

  /** Resolves once every copy is complete. */
  async whenSynced(): Promise<void> {
    await Promise.all(Object.values(this.#all()).map((cache) => cache.whenSynced()));
  }

  #all() {
    const all = Object.entries(this).filter(([, member]) => member instanceof Reflector);
    return Object.fromEntries(all) as Readonly<Record<string, Reflector<KubeObject>>>;
  }

  #indexPod(pod: Pod): void {
    const run = pod.metadata.labels?.[LABELS.run];
    if (run === undefined) return;
    const [runKey, podKey] = [keyFor(pod.metadata.namespace, run), keyOf(pod)];
    const there = this.pods.get(podKey) !== undefined;
    if (there) this.#podOfRun.set(runKey, podKey);
    else if (this.#podOfRun.get(runKey) === podKey) this.#podOfRun.delete(runKey);
  }
}
