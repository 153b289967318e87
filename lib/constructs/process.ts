import { k8s } from 'cdk8s-plus-28';
import { Construct } from 'constructs';
import { disruptionBudget } from './disruption-budget.ts';
import { componentLabels, type Component } from './labels.ts';
import { PORTS } from './names.ts';
import {
  hardenedPod,
  httpProbe,
  podField,
  resourceRequirements,
  RESTRICTED_CONTAINER,
  type Resources,
  type Scheduling,
} from './pod.ts';

/** How much a process logs. */
export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error';

/** When the kubelet asks the registry for an image. */
export type ImagePullPolicy = 'Always' | 'IfNotPresent' | 'Never';

/** What all processes of the control plane are told alike. */
export interface CommonProps {
  /** Namespace of the control plane. */
  readonly namespace: string;

  /** Image that holds every process. */
  readonly image: string;

  /**
   * When the kubelet asks the registry for the image.
   * @default IfNotPresent
   */
  readonly imagePullPolicy?: ImagePullPolicy;

  /**
   * How much the process logs.
   * @default info
   */
  readonly logLevel?: LogLevel;

  /**
   * Where the Pods may run.
   * @default - anywhere
   */
  readonly scheduling?: Scheduling;
}

/** The size of one process. */
export interface SizeProps {
  /**
   * Number of Pods.
   * @default 2
   */
  readonly replicas?: number;

  /**
   * CPU and memory of each Pod.
   * @default - 50m CPU and 128Mi requested, at most 384Mi
   */
  readonly resources?: Resources;
}

/** What tells one process from the others. */
export interface ProcessProps extends CommonProps, SizeProps {
  /** Part of the control plane; also names the bundle in the image. */
  readonly component: Exclude<Component, 'nats'>;

  /**
   * Variables beside `LOG_LEVEL`, `POD_NAMESPACE` and `POD_NAME`.
   * @default - none
   */
  readonly env?: Readonly<Record<string, string>>;

  /**
   * Port that serves others, by name.
   * @default - none but the one for health
   */
  readonly port?: { readonly name: string; readonly number: number };

  /**
   * Longest time that a Pod may take to finish what it is at.
   * @default 30
   */
  readonly terminationGracePeriodSeconds?: number;

  /**
   * Volumes, each with the path it is mounted at, read-only.
   * @default - none
   */
  readonly volumes?: readonly { readonly mountPath: string; readonly volume: k8s.Volume }[];
}

const DEFAULT_RESOURCES: Resources = { requests: { cpu: '50m', memory: '128Mi' }, limits: { memory: '384Mi' } };

/** One process of the control plane: its Deployment, and a budget that keeps drains from stopping all its Pods at once. */
export class Process extends Construct {
  constructor(scope: Construct, id: string, props: ProcessProps) {
    super(scope, id);
    const { namespace, component, replicas = 2, terminationGracePeriodSeconds = 30 } = props;
    const metadata = { name: `sympozium-${component}`, namespace, labels: componentLabels(component) };
    const selector = { matchLabels: componentLabels(component) };

    new k8s.KubeDeployment(this, 'deployment', {
      metadata,
      spec: {
        replicas,
        revisionHistoryLimit: 3,
        selector,
        strategy: {
          type: 'RollingUpdate',
          rollingUpdate: { maxUnavailable: k8s.IntOrString.fromNumber(0), maxSurge: k8s.IntOrString.fromNumber(1) },
        },
        template: hardenedPod(component, 'api-token', props.scheduling ?? {}, {
          terminationGracePeriodSeconds,
          containers: [container(props)],
          volumes: props.volumes?.map(({ volume }) => volume),
        }),
      },
    });

    disruptionBudget(this, component, namespace);
  }
}

function container({
  component,
  image,
  imagePullPolicy = 'IfNotPresent',
  logLevel = 'info',
  resources = DEFAULT_RESOURCES,
  env = {},
  port,
  volumes = [],
}: ProcessProps): k8s.Container {
  return {
    name: component,
    image,
    imagePullPolicy,
    command: ['node', `/app/${component}.js`],
    env: [
      { name: 'LOG_LEVEL', value: logLevel },
      // Compiled code that the image brings along: Node starts in half the time.
      { name: 'NODE_COMPILE_CACHE', value: '/app/cache' },
      podField('POD_NAMESPACE', 'metadata.namespace'),
      podField('POD_NAME', 'metadata.name'),
      ...Object.entries(env).map(([name, value]) => ({ name, value })),
    ],
    ports: [
      ...(port === undefined ? [] : [{ name: port.name, containerPort: port.number }]),
      { name: 'health', containerPort: PORTS.health },
    ],
    startupProbe: httpProbe('/healthz', PORTS.health, 1, 60),
    // Often, because an installation waits for it; cheap, because it asks nobody else.
    readinessProbe: httpProbe('/readyz', PORTS.health, 2, 3),
    livenessProbe: httpProbe('/healthz', PORTS.health, 10, 3),
    resources: resourceRequirements(resources),
    securityContext: RESTRICTED_CONTAINER,
    volumeMounts: volumes.map(({ mountPath, volume }) => ({ name: volume.name, mountPath, readOnly: true })),
  };
}
