/** Public face of the npm package: the control plane and its resources as constructs, and the API as types. */
export { API_VERSION, ANNOTATIONS, DEFAULT_POLICY, GROUP, LABELS, VERSION } from './api/group.ts';
export { findCondition, setCondition, type Condition, type ConditionStatus } from './api/conditions.ts';
export { durationSeconds } from './api/duration.ts';
export { crd, type KindDefinition, type ResourceOf } from './api/kind.ts';
/** The kinds as plain data: `v1alpha1.AgentRun` is the type of an object, where `AgentRun` is the construct. */
export * as v1alpha1 from './api/v1alpha1/index.ts';

export { builtinSkillPacks, type SkillImages } from './skills/index.ts';
export { BUILTIN_POLICIES } from './policy/builtin.ts';
export {
  decideHost,
  decideImage,
  decideModel,
  decideSkill,
  decideTool,
  sandboxOf,
  type Sandbox,
  type ToolDecision,
  type Verdict,
} from './policy/decide.ts';
export { effectivePolicy, type EffectivePolicy, type Rules } from './policy/effective.ts';

export {
  AgentRun,
  MCPServer,
  PersonaPack,
  SkillPack,
  SympoziumInstance,
  SympoziumPolicy,
  SympoziumSchedule,
  ToolApproval,
  type AgentRunProps,
  type MCPServerProps,
  type PersonaPackProps,
  type ResourceProps,
  type SkillPackProps,
  type SympoziumInstanceProps,
  type SympoziumPolicyProps,
  type SympoziumScheduleProps,
  type ToolApprovalProps,
} from './constructs/resources.ts';

export { Admission, type AdmissionProps } from './constructs/admission.ts';
export { AgentNamespace, type AgentNamespaceProps } from './constructs/agent-namespace.ts';
export { AgentNetworkPolicies, type AgentNetworkPoliciesProps } from './constructs/agent-network-policies.ts';
export { ControlPlane, DEFAULT_IMAGE, type ControlPlaneProps } from './constructs/control-plane.ts';
export { Controller, type ControllerProps, type Retention } from './constructs/controller.ts';
export { Crds } from './constructs/crds.ts';
export { Gateway, type GatewayOptions, type GatewayProps } from './constructs/gateway.ts';
export { NAMES, PORTS, SYSTEM_NAMESPACE, type DnsOptions } from './constructs/names.ts';
export { Nats, type NatsOptions, type NatsProps, type NatsReplicas } from './constructs/nats.ts';
export { NetworkPolicies, type NetworkPoliciesProps } from './constructs/network-policies.ts';
export { People } from './constructs/people.ts';
export { PodMonitors, type MonitoringOptions, type PodMonitorsProps } from './constructs/pod-monitors.ts';
export type { Resources, Scheduling } from './constructs/pod.ts';
export type { CommonProps, ImagePullPolicy, LogLevel, SizeProps } from './constructs/process.ts';
export { Rbac, type RbacProps } from './constructs/rbac.ts';
export type { SkillImageOptions } from './constructs/skill-images.ts';
export { SystemNamespace, type SystemNamespaceProps } from './constructs/system-namespace.ts';
export {
  WebhookCertificate,
  type CertificatesOptions,
  type CertManagerOptions,
  type IssuerRef,
  type WebhookCertificateProps,
} from './constructs/webhook-certificate.ts';
export { Webhook, type WebhookProps } from './constructs/webhook.ts';
