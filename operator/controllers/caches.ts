import { LABELS, SKILL_GRANTS } from '../../lib/api/group.ts';
import { MANAGED_BY } from '../../lib/policy/network.ts';
import { keyFor, keyOf, type KubeObject, type Selection } from '../kube/port.ts';
import { reflect, type CacheOptions } from '../kube/reflect.ts';
import { Reflector } from '../kube/reflector.ts';
import {
  AGENT_RUNS, CLUSTER_ROLE_BINDINGS, CLUSTER_ROLES, DEPLOYMENTS, INSTANCES, JOBS, MCP_SERVERS, NAMESPACES, NETWORK_POLICIES, PERSONA_PACKS, PODS, POLICIES,
  ROLES, ROLE_BINDINGS, RUNTIME_CLASSES, SCHEDULES, SERVICE_ACCOUNTS, SERVICES, SKILL_PACKS, TOOL_APPROVALS, type Pod,
} from '../kube/resources.ts'; // prettier-ignore
import { trimContent, trimJob, trimPod, trimRun, trimToMetadata } from '../kube/trim.ts';
import { SkillObjects } from './agent-run/skills/objects.ts';
import { Approvals } from './tool-approval/approvals.ts';

const RUN_CHILDREN: Selection = { labels: `${LABELS.component}=run` };
const ENDPOINT_CHILDREN: Selection = { labels: `${LABELS.component}=endpoint` };
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
  readonly namespaces;
  readonly runtimeClasses;
  readonly schedules;
  readonly personaPacks;
  readonly skillPacks;
  readonly mcpServers;
  readonly toolApprovals;
  readonly jobs;
  readonly pods;
  readonly serviceAccounts;
  readonly networkPolicies;
  readonly runRoles;
  readonly runRoleBindings;
  readonly runClusterRoles;
  readonly runClusterRoleBindings;
  readonly runNetworkPolicies;
  /** What skills may be granted at all. */
  readonly skillGrants;
  /** What belongs to the skills of each run. */
  readonly skillObjects = new SkillObjects();
  readonly endpointAccounts;
  readonly endpointRoles;
  readonly endpointBindings;
  readonly endpointServices;
  readonly endpointDeployments;
  /** The ToolApprovals of each run. */
  readonly approvals = new Approvals();
  /** Key of the newest Pod of each run. */
  readonly #podOfRun = new Map<string, string>();

  constructor(options: CacheOptions) {
    this.runs = reflect(AGENT_RUNS, options, { trim: trimRun });
    this.instances = reflect(INSTANCES, options);
    this.policies = reflect(POLICIES, options);
    this.namespaces = reflect(NAMESPACES, options, { trim: trimToMetadata });
    this.runtimeClasses = reflect(RUNTIME_CLASSES, options, { trim: trimToMetadata });
    this.schedules = reflect(SCHEDULES, options);
    this.personaPacks = reflect(PERSONA_PACKS, options);
    this.skillPacks = reflect(SKILL_PACKS, options);
    this.mcpServers = reflect(MCP_SERVERS, options);
    this.toolApprovals = reflect(TOOL_APPROVALS, options);
    this.jobs = reflect(JOBS, options, { selection: RUN_CHILDREN, trim: trimJob });
    this.pods = reflect(PODS, options, { selection: RUN_CHILDREN, trim: trimPod });
    this.serviceAccounts = reflect(SERVICE_ACCOUNTS, options, { selection: RUN_CHILDREN });
    this.networkPolicies = reflect(NETWORK_POLICIES, options, { selection: OURS });
    const endpoints = { selection: ENDPOINT_CHILDREN };
    this.endpointAccounts = reflect(SERVICE_ACCOUNTS, options, endpoints);
    this.endpointRoles = reflect(ROLES, options, endpoints);
    this.endpointBindings = reflect(ROLE_BINDINGS, options, endpoints);
    this.endpointServices = reflect(SERVICES, options, endpoints);
    this.endpointDeployments = reflect(DEPLOYMENTS, options, endpoints);
    const children = { selection: RUN_CHILDREN, trim: trimContent };
    this.runRoles = reflect(ROLES, options, children);
    this.runRoleBindings = reflect(ROLE_BINDINGS, options, children);
    this.runClusterRoles = reflect(CLUSTER_ROLES, options, children);
    this.runClusterRoleBindings = reflect(CLUSTER_ROLE_BINDINGS, options, children);
    this.runNetworkPolicies = reflect(NETWORK_POLICIES, options, children);
    this.skillGrants = reflect(CLUSTER_ROLES, options, { selection: { fields: `metadata.name=${SKILL_GRANTS}` } });
    this.skillObjects.follow(ROLES, this.runRoles);
    this.skillObjects.follow(ROLE_BINDINGS, this.runRoleBindings);
    this.skillObjects.follow(CLUSTER_ROLES, this.runClusterRoles);
    this.skillObjects.follow(CLUSTER_ROLE_BINDINGS, this.runClusterRoleBindings);
    this.skillObjects.follow(NETWORK_POLICIES, this.runNetworkPolicies);
    this.approvals.follow(this.toolApprovals);
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
