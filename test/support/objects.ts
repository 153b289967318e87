import { API_VERSION } from '../../lib/api/group.ts';
import type { AgentRun } from '../../lib/api/v1alpha1/agent-run.ts';
import type { SympoziumInstance } from '../../lib/api/v1alpha1/instance.ts';
import type { SympoziumPolicy } from '../../lib/api/v1alpha1/policy.ts';
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
