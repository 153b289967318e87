import { AUDIENCES, runChildName } from '../../../lib/api/group.ts';
import type { AgentRun } from '../../../lib/api/v1alpha1/agent-run.ts';
import type { SympoziumInstance } from '../../../lib/api/v1alpha1/instance.ts';
import { sandboxOf } from '../../../lib/policy/decide.ts';
import type { EffectivePolicy } from '../../../lib/policy/effective.ts';
import { COMPILE_CACHE, CONFINED, LAST_WORDS, mailbox, UNPRIVILEGED, withOurs } from '../container.ts';
import { sidecars, type SidecarParts } from './skills/sidecar.ts';
import type { Skill } from './skills/skill.ts';

/** What the process knows about the cluster that its runs must know. */
export interface PodSettings {
  readonly runtimeImage: string;
  readonly imagePullPolicy: 'Always' | 'IfNotPresent' | 'Never';
  readonly busUrl: string;
  readonly gatewayUrl: string;
  /** Images of the built-in skills, beside the runtime's. */
  readonly skillImages?: Readonly<Record<string, string>>;
}

/** What a run's Pod is made from. */
export interface PodParts {
  readonly run: AgentRun;
  readonly instance: SympoziumInstance;
  readonly policy: EffectivePolicy;
  readonly settings: PodSettings;
  /** Left out: none. */
  readonly skills?: readonly Skill[];
}

/** Names of a run's containers. */
export const CONTAINERS = { agent: 'agent', bridge: 'bridge' } as const;

const TOKENS = '/var/run/secrets/sympozium';
const BRIDGE_API = 'http://127.0.0.1:8181/v1';
const TOKEN_SECONDS = 3600;

/**
 * The Pod of a run: agent, bridge and a sidecar per skill, which start together, because started one after the other they
 * take a second longer. It satisfies Pod Security `restricted`. Only the bridge knows the bus and the gateway.
 */
export function podSpec({ run, instance, policy, settings, skills = [] }: PodParts): object {
  const added = sidecars(skills, settings);
  return {
    serviceAccountName: runChildName(run.metadata.name),
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    restartPolicy: 'Never',
    terminationGracePeriodSeconds: 5,
    ...runtimeClassOf(policy),
    dnsConfig: { options: [{ name: 'ndots', value: '1' }] }, // full names are asked for as they are, not five times
    tolerations: ['unreachable', 'not-ready'].map((state) => ({
      key: `node.kubernetes.io/${state}`,
      operator: 'Exists',
      effect: 'NoExecute',
      tolerationSeconds: 30, // a run isn't worth the usual five minutes of hoping that its node comes back
    })),
    securityContext: UNPRIVILEGED,
    containers: [agent(instance, settings), bridge(run, settings, added), ...added.containers],
    volumes: [
      mailbox('agent-in'),
      mailbox('agent-out'),
      { name: 'workspace', emptyDir: { sizeLimit: '1Gi' } },
      { name: 'tmp', emptyDir: { sizeLimit: '256Mi' } },
      { name: 'tokens', projected: { sources: [token('bus'), token('gateway')] } },
      ...added.volumes,
    ],
  };
}

/** @throws Error when the policies contradict each other: such a run is never started */
function runtimeClassOf(policy: EffectivePolicy): object {
  const sandbox = sandboxOf(policy);
  if ('conflict' in sandbox) throw new Error(sandbox.conflict);
  return sandbox.runtimeClass === undefined ? {} : { runtimeClassName: sandbox.runtimeClass };
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
  return {
    name: CONTAINERS.agent,
    image: spec.agent?.image ?? runtimeImage,
    imagePullPolicy: own ? imagePullPolicy : 'IfNotPresent',
    ...(command === undefined ? {} : { command }),
    workingDir: '/workspace',
    env: withOurs(spec.agent?.env, ours),
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

function bridge(
  run: AgentRun,
  { runtimeImage, imagePullPolicy, busUrl, gatewayUrl }: PodSettings,
  { bridgeMounts }: SidecarParts,
): object {
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
      ...bridgeMounts,
    ],
  };
}

const token = (path: keyof typeof AUDIENCES) => ({
  serviceAccountToken: { path, audience: AUDIENCES[path], expirationSeconds: TOKEN_SECONDS },
});
