import { API_VERSION } from '../../lib/api/group.ts';
import { agentRun, type AgentRun } from '../../lib/api/v1alpha1/agent-run.ts';
import { sympoziumInstance, type SympoziumInstance } from '../../lib/api/v1alpha1/instance.ts';
import { mcpServer, type MCPServer } from '../../lib/api/v1alpha1/mcp-server.ts';
import { personaPack, type PersonaPack } from '../../lib/api/v1alpha1/persona-pack.ts';
import { sympoziumPolicy, type SympoziumPolicy } from '../../lib/api/v1alpha1/policy.ts';
import { sympoziumSchedule, type SympoziumSchedule } from '../../lib/api/v1alpha1/schedule.ts';
import { skillPack, type SkillPack } from '../../lib/api/v1alpha1/skill-pack.ts';
import { toolApproval, type ToolApproval } from '../../lib/api/v1alpha1/tool-approval.ts';
import type { NetworkPolicy } from '../../lib/policy/network.ts';
import type { KubeObject, Resource } from './port.ts';

/** The kinds that our processes read and write: of each kind, the fields that they read. */

export interface ServiceAccount extends KubeObject {
  readonly automountServiceAccountToken?: boolean;
}

export interface Job extends KubeObject {
  readonly spec?: object;
  readonly status?: {
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly reason?: string;
      readonly message?: string;
    }[];
    readonly active?: number;
    readonly failed?: number;
    readonly succeeded?: number;
  };
}

export interface ContainerState {
  readonly waiting?: { readonly reason?: string; readonly message?: string };
  readonly running?: { readonly startedAt?: string };
  readonly terminated?: {
    readonly exitCode: number;
    readonly reason?: string;
    readonly message?: string;
    readonly signal?: number;
  };
}

export interface Pod extends KubeObject {
  readonly spec?: { readonly nodeName?: string };
  readonly status?: {
    readonly phase?: string;
    readonly reason?: string;
    readonly message?: string;
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly reason?: string;
      readonly message?: string;
    }[];
    readonly containerStatuses?: readonly { readonly name: string; readonly state?: ContainerState }[];
  };
}

export interface Deployment extends KubeObject {
  readonly spec: object;
  readonly status?: { readonly availableReplicas?: number };
}

export interface Service extends KubeObject {
  readonly spec?: {
    readonly type?: string;
    readonly externalName?: string;
    readonly clusterIPs?: readonly string[];
    readonly selector?: Readonly<Record<string, string>>;
    readonly ports?: readonly {
      readonly name?: string;
      readonly protocol?: string;
      readonly port: number;
      readonly targetPort?: number | string;
    }[];
  };
}

export interface Secret extends KubeObject {
  readonly type?: string;
  readonly data?: Readonly<Record<string, string>>;
}

/** One rule of a Role or ClusterRole. */
export interface PolicyRule {
  readonly apiGroups?: readonly string[];
  readonly resources?: readonly string[];
  readonly verbs: readonly string[];
  readonly resourceNames?: readonly string[];
}

/** A Role or a ClusterRole. */
export interface Role extends KubeObject {
  readonly rules?: readonly PolicyRule[];
}

/** A RoleBinding or a ClusterRoleBinding. */
export interface RoleBinding extends KubeObject {
  readonly roleRef?: { readonly apiGroup: string; readonly kind: string; readonly name: string };
  readonly subjects?: readonly { readonly kind: string; readonly name: string; readonly namespace?: string }[];
}

export interface Endpoints extends KubeObject {
  readonly subsets?: readonly {
    readonly addresses?: readonly { readonly ip: string }[];
    readonly ports?: readonly { readonly port: number }[];
  }[];
}

export interface KubeEvent extends KubeObject {
  readonly involvedObject: {
    readonly apiVersion: string;
    readonly kind: string;
    readonly namespace?: string;
    readonly name: string;
    readonly uid?: string;
  };
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
  readonly firstTimestamp?: string;
  readonly lastTimestamp?: string;
  readonly count?: number;
  readonly source?: { readonly component: string };
  readonly reportingComponent?: string;
  readonly reportingInstance?: string;
}

export interface Lease extends KubeObject {
  readonly spec: {
    readonly holderIdentity?: string;
    readonly leaseDurationSeconds?: number;
    readonly acquireTime?: string;
    readonly renewTime?: string;
    readonly leaseTransitions?: number;
  };
}

export interface TokenReview extends KubeObject {
  readonly spec: { readonly token: string; readonly audiences: readonly string[] };
  readonly status?: {
    readonly authenticated?: boolean;
    readonly audiences?: readonly string[];
    readonly error?: string;
    readonly user?: { readonly username?: string; readonly extra?: Readonly<Record<string, readonly string[]>> };
  };
}

/** Of a Namespace only the metadata are kept. */
export type Namespace = KubeObject;

export interface WebhookConfiguration extends KubeObject {
  readonly webhooks?: readonly {
    readonly name: string;
    readonly clientConfig: { readonly caBundle?: string } & Readonly<Record<string, unknown>>;
  }[];
}

/** Label by which everything of ours is found; the manifests carry it too. */
export const OURS = { 'app.kubernetes.io/name': 'sympozium' } as const;

const resource = <T extends KubeObject>(apiVersion: string, kind: string, plural: string): Resource<T> => ({
  apiVersion,
  kind,
  plural,
});

/** One of our kinds. */
const ours = <T extends KubeObject>({ kind, plural }: { readonly kind: string; readonly plural: string }) =>
  resource<T>(API_VERSION, kind, plural);

export const AGENT_RUNS = ours<AgentRun>(agentRun);
export const INSTANCES = ours<SympoziumInstance>(sympoziumInstance);
export const POLICIES = ours<SympoziumPolicy>(sympoziumPolicy);
export const SCHEDULES = ours<SympoziumSchedule>(sympoziumSchedule);
export const PERSONA_PACKS = ours<PersonaPack>(personaPack);
export const SKILL_PACKS = ours<SkillPack>(skillPack);
export const MCP_SERVERS = ours<MCPServer>(mcpServer);
export const TOOL_APPROVALS = ours<ToolApproval>(toolApproval);
export const SERVICE_ACCOUNTS = resource<ServiceAccount>('v1', 'ServiceAccount', 'serviceaccounts');
export const NAMESPACES = resource<Namespace>('v1', 'Namespace', 'namespaces');
export const SECRETS = resource<Secret>('v1', 'Secret', 'secrets');
export const PODS = resource<Pod>('v1', 'Pod', 'pods');
export const EVENTS = resource<KubeEvent>('v1', 'Event', 'events');
export const SERVICES = resource<Service>('v1', 'Service', 'services');
export const DEPLOYMENTS = resource<Deployment>('apps/v1', 'Deployment', 'deployments');
export const JOBS = resource<Job>('batch/v1', 'Job', 'jobs');
export const LEASES = resource<Lease>('coordination.k8s.io/v1', 'Lease', 'leases');
export const NETWORK_POLICIES = resource<NetworkPolicy>('networking.k8s.io/v1', 'NetworkPolicy', 'networkpolicies');
export const ENDPOINTS = resource<Endpoints>('v1', 'Endpoints', 'endpoints');
const RBAC = 'rbac.authorization.k8s.io/v1';
export const ROLES = resource<Role>(RBAC, 'Role', 'roles');
export const ROLE_BINDINGS = resource<RoleBinding>(RBAC, 'RoleBinding', 'rolebindings');
export const CLUSTER_ROLES = resource<Role>(RBAC, 'ClusterRole', 'clusterroles');
export const CLUSTER_ROLE_BINDINGS = resource<RoleBinding>(RBAC, 'ClusterRoleBinding', 'clusterrolebindings');
export const TOKEN_REVIEWS = resource<TokenReview>('authentication.k8s.io/v1', 'TokenReview', 'tokenreviews');
export const RUNTIME_CLASSES = resource<KubeObject>('node.k8s.io/v1', 'RuntimeClass', 'runtimeclasses');
export const MUTATING_WEBHOOKS = resource<WebhookConfiguration>(
  'admissionregistration.k8s.io/v1',
  'MutatingWebhookConfiguration',
  'mutatingwebhookconfigurations',
);
export const VALIDATING_WEBHOOKS = resource<WebhookConfiguration>(
  'admissionregistration.k8s.io/v1',
  'ValidatingWebhookConfiguration',
  'validatingwebhookconfigurations',
);
