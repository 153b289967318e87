import { AUDIENCES } from '../../../lib/api/group.ts';
import type { AgentRun } from '../../../lib/api/v1alpha1/agent-run.ts';
import type { SympoziumInstance } from '../../../lib/api/v1alpha1/instance.ts';
import type { EffectivePolicy } from '../../../lib/policy/effective.ts';
import { runChildName } from '../../../lib/api/group.ts';

/** What the process knows about the cluster that its runs must know. */
export interface PodSettings {
  readonly runtimeImage: string;
  readonly imagePullPolicy: 'Always' | 'IfNotPresent' | 'Never';
  readonly busUrl: string;
  readonly gatewayUrl: string;
}

/** Names of a run's containers. */
export const CONTAINERS = { agent: 'agent', bridge: 'bridge' } as const;

const TOKENS = '/var/run/secrets/sympozium';
const BRIDGE_API = 'http://127.0.0.1:8181/v1';
/** Compiled code that the image brings along, so that a start takes half the time. */
const COMPILE_CACHE = { name: 'NODE_COMPILE_CACHE', value: '/app/cache' };
const TOKEN_SECONDS = 3600;
/** The end of a failed container's log goes into the Pod's status, where the reason of the failure is looked for. */
const LAST_WORDS = 'FallbackToLogsOnError';
const USER = 1000;

const CONFINED = {
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  runAsNonRoot: true,
  capabilities: { drop: ['ALL'] },
};

/**
 * The Pod of a run: two containers that start together, because started one after the other they take a second longer.
 * It satisfies Pod Security `restricted`. Only the bridge has tokens and knows the bus.
 */
export function podSpec(
  run: AgentRun,
  instance: SympoziumInstance,
  policy: EffectivePolicy,
  settings: PodSettings,
): object {
  return {
    serviceAccountName: runChildName(run.metadata.name),
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    restartPolicy: 'Never',
    terminationGracePeriodSeconds: 5,
    ...(policy.runtimeClass === undefined ? {} : { runtimeClassName: policy.runtimeClass }),
    dnsConfig: { options: [{ name: 'ndots', value: '1' }] }, // full names are asked for as they are, not five times
    tolerations: ['unreachable', 'not-ready'].map((state) => ({
      key: `node.kubernetes.io/${state}`,
      operator: 'Exists',
      effect: 'NoExecute',
      tolerationSeconds: 30, // a run isn't worth the usual five minutes of hoping that its node comes back
    })),
    securityContext: {
      runAsNonRoot: true,
      runAsUser: USER,
      runAsGroup: USER,
      fsGroup: USER,
      seccompProfile: { type: 'RuntimeDefault' },
    },
    containers: [agent(instance, settings), bridge(run, settings)],
    volumes: [
      mailbox('agent-in'),
      mailbox('agent-out'),
      { name: 'workspace', emptyDir: { sizeLimit: '1Gi' } },
      { name: 'tmp', emptyDir: { sizeLimit: '256Mi' } },
      { name: 'tokens', projected: { sources: [token('bus'), token('gateway')] } },
    ],
  };
}

function agent({ spec }: SympoziumInstance, { runtimeImage, imagePullPolicy }: PodSettings): object {
  const own = spec.agent?.image === undefined;
  const command = spec.agent?.command ?? (own ? ['node', '/app/agent.js'] : undefined);
  const ours = [
    { name: 'SYMPOZIUM_MAILBOX', value: '/ipc' },
    { name: 'OPENAI_BASE_URL', value: BRIDGE_API },
    { name: 'OPENAI_API_KEY', value: 'none' },
    ...(own ? [COMPILE_CACHE] : []),
  ];
  const theirs = (spec.agent?.env ?? []).filter(({ name }) => !ours.some((variable) => variable.name === name));
  return {
    name: CONTAINERS.agent,
    image: spec.agent?.image ?? runtimeImage,
    imagePullPolicy: own ? imagePullPolicy : 'IfNotPresent',
    ...(command === undefined ? {} : { command }),
    workingDir: '/workspace',
    env: [...theirs, ...ours],
    resources: { requests: { cpu: '50m', memory: '64Mi' }, limits: { memory: '512Mi' } },
    terminationMessagePolicy: LAST_WORDS,
    securityContext: CONFINED,
    volumeMounts: [
      { name: 'agent-in', mountPath: '/ipc/in', readOnly: true },
      { name: 'agent-out', mountPath: '/ipc/out' },
      { name: 'workspace', mountPath: '/workspace' },
      { name: 'tmp', mountPath: '/tmp' },
    ],
  };
}

function bridge(run: AgentRun, { runtimeImage, imagePullPolicy, busUrl, gatewayUrl }: PodSettings): object {
  const { name, namespace = '', uid = '' } = run.metadata;
  return {
    name: CONTAINERS.bridge,
    image: runtimeImage,
    imagePullPolicy,
    command: ['node', '/app/bridge.js'],
    env: [
      { name: 'RUN_NAMESPACE', value: namespace },
      { name: 'RUN_NAME', value: name },
      { name: 'RUN_UID', value: uid },
      { name: 'BUS_URL', value: busUrl },
      { name: 'GATEWAY_URL', value: gatewayUrl },
      COMPILE_CACHE,
    ],
    resources: { requests: { cpu: '20m', memory: '48Mi' }, limits: { memory: '192Mi' } },
    terminationMessagePolicy: LAST_WORDS,
    securityContext: CONFINED,
    volumeMounts: [
      { name: 'agent-in', mountPath: '/mailboxes/agent/in' },
      { name: 'agent-out', mountPath: '/mailboxes/agent/out' },
      { name: 'tokens', mountPath: TOKENS, readOnly: true },
    ],
  };
}

const mailbox = (name: string) => ({ name, emptyDir: { medium: 'Memory', sizeLimit: '32Mi' } });

const token = (path: keyof typeof AUDIENCES) => ({
  serviceAccountToken: { path, audience: AUDIENCES[path], expirationSeconds: TOKEN_SECONDS },
});
