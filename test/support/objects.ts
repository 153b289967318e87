import type { FactSource } from '../../operator/webhook/validate.ts';
import { API_VERSION } from '../../lib/api/group.ts';
import type { AgentRun } from '../../lib/api/v1alpha1/agent-run.ts';
import type { SympoziumInstance } from '../../lib/api/v1alpha1/instance.ts';
import type { SkillPack } from '../../lib/api/v1alpha1/skill-pack.ts';
import type { SympoziumPolicy } from '../../lib/api/v1alpha1/policy.ts';
import { effectivePolicy, type EffectivePolicy, type Rules, type ToolLayer } from '../../lib/policy/effective.ts';
import type { ContainerState, Pod } from '../../operator/kube/resources.ts';
import type { PodSettings } from '../../operator/controllers/agent-run/pod-spec.ts';
import type { ResultMessage } from '../../operator/bus/messages.ts';

/** Objects as a user would write them, small; what a test is about is given. */

export const agentRun = (
  name: string,
  spec: Partial<AgentRun['spec']> = {},
  rest: Partial<AgentRun> = {},
): AgentRun => ({
  apiVersion: API_VERSION,
  kind: 'AgentRun',
  spec: { instanceRef: 'helper', input: 'hello', ...spec },
  ...rest,
  metadata: { name, namespace: 'team', ...rest.metadata },
});

export const instance = (spec: Partial<SympoziumInstance['spec']> = {}, name = 'helper'): SympoziumInstance => ({
  apiVersion: API_VERSION,
  kind: 'SympoziumInstance',
  metadata: { name, namespace: 'team' },
  spec: { provider: { name: 'openai', model: 'gpt', baseURL: 'http://model/v1' }, ...spec },
});

export const policy = (
  name: string,
  spec: Partial<SympoziumPolicy['spec']> = {},
  namespace = 'sympozium-system',
): SympoziumPolicy => ({
  apiVersion: API_VERSION,
  kind: 'SympoziumPolicy',
  metadata: { name, namespace },
  spec: { template: 'Permissive', ...spec },
});

/** The rules of an instance with this policy, in a namespace with these floors. */
export const rulesOf = (own: SympoziumPolicy, ...floors: SympoziumPolicy[]): Rules => ({ own, floors });

/** Rules that allow everything but what the layers, or the other parts that are given, forbid. */
export const effective = (
  name: string,
  layers: ToolLayer[] = [],
  rest: Partial<EffectivePolicy> = {},
): EffectivePolicy => ({
  ...effectivePolicy(rulesOf(policy(name)), instance()),
  layers,
  ...rest,
});

export const settings: PodSettings = {
  runtimeImage: 'registry/sympozium:1',
  imagePullPolicy: 'IfNotPresent',
  busUrl: 'nats://sympozium-nats.sympozium-system:4222',
  gatewayUrl: 'http://sympozium-gateway.sympozium-system:8080',
};

/** A Pod whose containers are in the given states. */
export const pod = (
  states: { readonly agent?: ContainerState; readonly bridge?: ContainerState },
  rest: {
    readonly metadata?: Partial<Pod['metadata']>;
    readonly status?: Pod['status'];
    readonly spec?: Pod['spec'];
  } = {},
): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  spec: rest.spec ?? { nodeName: 'node-1' },
  metadata: { name: 'run-x-abcde', namespace: 'team', ...rest.metadata },
  status: {
    containerStatuses: Object.entries(states).map(([name, state]) => ({ name, state })),
    ...rest.status,
  },
});

export const succeeded = (uid: string, output = 'pong'): ResultMessage => ({
  v: 1,
  uid,
  outcome: 'succeeded',
  output,
  outputBytes: Buffer.byteLength(output),
  usage: { inputTokens: 5, outputTokens: 3, modelCalls: 1, toolCalls: 0 },
});

/** A SkillPack whose sidecar runs from the runtime image. */
export const skillPack = (name: string, spec: Partial<SkillPack['spec']> = {}, namespace = 'team'): SkillPack => ({
  apiVersion: API_VERSION,
  kind: 'SkillPack',
  metadata: { name, namespace },
  spec: { sidecar: { image: settings.runtimeImage }, ...spec },
});

/** What a webhook judges decisions by, in a cluster without runs. */
export const DECISIONS: FactSource['decisions'] = {
  controller: 'system:serviceaccount:sympozium-system:sympozium-controller',
  run: () => Promise.resolve(undefined),
  now: () => new Date('2026-01-01T00:00:00Z'),
};
