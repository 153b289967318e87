import { createHash } from 'node:crypto';
import { k8s } from 'cdk8s-plus-28';
import { Construct } from 'constructs';
import { KEYS_FILE, natsConf, type NatsCluster } from '../policy/nats-conf.ts';
import { disruptionBudget } from './disruption-budget.ts';
import { componentLabels } from './labels.ts';
import { NAMES, PORTS } from './names.ts';
import {
  hardenedPod,
  httpProbe,
  podField,
  resourceRequirements,
  RESTRICTED_CONTAINER,
  type Resources,
  type Scheduling,
} from './pod.ts';

/** Pods of NATS: two could not agree when one is gone, and more would only be slower. */
export type NatsReplicas = 1 | 3;

/** The part of NATS that its operator chooses. */
export interface NatsOptions {
  /**
   * Image of NATS.
   * @default docker.io/library/nats:2.15.2-alpine
   */
  readonly image?: string;

  /**
   * Number of Pods: 1, or 3 that keep every message three times. What is on the bus when this changes is not seen any
   * more, so change it while no run is at work.
   * @default 1
   */
  readonly replicas?: NatsReplicas;

  /**
   * CPU and memory of each Pod.
   * @default - 50m CPU and 64Mi requested, at most 512Mi
   */
  readonly resources?: Resources;

  /**
   * Size of each Pod's volume, which keeps the messages. Kubernetes does not let it change after installation.
   * @default 4Gi
   */
  readonly storageSize?: string;

  /**
   * StorageClass of the volume.
   * @default - the cluster's default
   */
  readonly storageClassName?: string;
}

/** What NATS needs to know. */
export interface NatsProps extends NatsOptions {
  /** Namespace of the control plane. */
  readonly namespace: string;

  /**
   * Where the Pod may run.
   * @default - anywhere
   */
  readonly scheduling?: Scheduling;
}

const DEFAULT_IMAGE = 'docker.io/library/nats:2.15.2-alpine';
const DEFAULT_RESOURCES: Resources = { requests: { cpu: '50m', memory: '64Mi' }, limits: { memory: '512Mi' } };

/** How the Pods find each other; what starts with `$` is in their environment. */
const CLUSTER: NatsCluster = {
  listen: `0.0.0.0:${PORTS.busRoutes}`,
  password: '$ROUTES_PASSWORD',
  routes: '$ROUTES',
  serverName: '$POD_NAME',
};

/**
 * Where one of several servers keeps its data. Not where a server on its own does: what that one knows of the results
 * that were delivered would be taken for true of streams that begin anew, and their first results be kept back.
 */
const CLUSTER_STORE = '/data/cluster';

/** Folder of the configuration in the container. */
const CONFIG = '/etc/nats';
const CONFIG_FILE = 'nats.conf';

/**
 * The event bus: NATS with JetStream on a volume, so that no message is lost when its Pod is. Its configuration is a
 * ConfigMap, and a change of it rolls the Pods. It includes the public keys, which are a file of the Secret that the
 * controller makes. As a file and not as variables: NATS starts a second after the Secret is there, where a
 * missing variable lets the kubelet wait for thirteen.
 */
export class Nats extends Construct {
  constructor(scope: Construct, id: string, props: NatsProps) {
    super(scope, id);
    const { namespace, replicas = 1, storageSize = '4Gi', storageClassName } = props;
    const labels = componentLabels('nats');
    const clustered = replicas > 1;
    const conf = natsConf(clustered ? { cluster: CLUSTER, storeDir: CLUSTER_STORE } : {});

    new k8s.KubeConfigMap(this, 'config', {
      metadata: { name: NAMES.nats, namespace, labels },
      data: { [CONFIG_FILE]: conf },
    });

    const template = hardenedPod('nats', 'no-api-token', props.scheduling ?? {}, {
      terminationGracePeriodSeconds: 60,
      containers: [container(props, replicas)],
      volumes: [{ name: 'config', projected: { defaultMode: 0o440, sources: CONFIG_SOURCES } }],
    });
    new k8s.KubeStatefulSet(this, 'stateful-set', {
      metadata: { name: NAMES.nats, namespace, labels },
      spec: {
        replicas,
        revisionHistoryLimit: 3,
        // A server that is back needs a moment to catch up before the next one may go.
        ...(clustered ? { minReadySeconds: 5 } : {}),
        selector: { matchLabels: labels },
        serviceName: NAMES.natsHeadless,
        template: {
          ...template,
          metadata: { ...template.metadata, annotations: { 'sympozium.ai/config-checksum': checksum(conf) } },
        },
        volumeClaimTemplates: [
          {
            metadata: { name: 'data', labels },
            spec: {
              accessModes: ['ReadWriteOnce'],
              resources: { requests: { storage: k8s.Quantity.fromString(storageSize) } },
              ...(storageClassName === undefined ? {} : { storageClassName }),
            },
          },
        ],
      },
    });
    if (clustered) disruptionBudget(this, 'nats', namespace);

    const port = (name: string, number: number) => ({
      name,
      port: number,
      targetPort: k8s.IntOrString.fromString(name),
    });
    const client = port('client', PORTS.bus);
    new k8s.KubeService(this, 'service', {
      metadata: { name: NAMES.nats, namespace, labels },
      spec: {
        // A node that its kubelet doesn't answer for may be well, and so NATS on it: some networks would cut the
        // connections that stand. Whoever connects to a NATS that isn't ready tries again.
        publishNotReadyAddresses: true,
        selector: labels,
        ports: [client],
      },
    });
    new k8s.KubeService(this, 'headless-service', {
      metadata: { name: NAMES.natsHeadless, namespace, labels },
      spec: {
        clusterIp: 'None',
        publishNotReadyAddresses: true,
        selector: labels,
        ports: clustered ? [client, port('routes', PORTS.busRoutes)] : [client],
      },
    });
  }
}

/** The Secret holds the controller's keys too: only the public ones come into these Pods. */
const CONFIG_SOURCES: k8s.VolumeProjection[] = [
  { configMap: { name: NAMES.nats, items: [{ key: CONFIG_FILE, path: CONFIG_FILE }] } },
  { secret: { name: NAMES.busSecret, items: [{ key: KEYS_FILE, path: KEYS_FILE }] } },
];

const checksum = (text: string): string => createHash('sha256').update(text).digest('hex');

function container(
  { image = DEFAULT_IMAGE, resources = DEFAULT_RESOURCES }: NatsProps,
  replicas: NatsReplicas,
): k8s.Container {
  const clustered = replicas > 1;
  return {
    name: 'nats',
    image,
    imagePullPolicy: 'IfNotPresent',
    command: ['nats-server', '-c', `${CONFIG}/${CONFIG_FILE}`],
    ...(clustered ? { env: clusterEnv(replicas) } : {}),
    ports: [
      { name: 'client', containerPort: PORTS.bus },
      ...(clustered ? [{ name: 'routes', containerPort: PORTS.busRoutes }] : []),
      { name: 'monitor', containerPort: PORTS.busMonitor },
    ],
    // Reading a full store back can take minutes; killing NATS meanwhile would only start it over. The first of several
    // servers must not wait for streams that it can't have without the others, who are started after it.
    startupProbe: httpProbe(clustered ? '/healthz?js-server-only=true' : '/healthz', PORTS.busMonitor, 1, 600),
    readinessProbe: httpProbe('/healthz?js-server-only=true', PORTS.busMonitor, 5, 2),
    livenessProbe: httpProbe('/healthz?js-enabled-only=true', PORTS.busMonitor, 10, 3),
    resources: resourceRequirements(resources),
    securityContext: RESTRICTED_CONTAINER,
    volumeMounts: [
      { name: 'config', mountPath: CONFIG, readOnly: true },
      { name: 'data', mountPath: '/data' },
    ],
  };
}

/** NATS puts no variable into a text, so the addresses come whole; Kubernetes puts the password into them. */
function clusterEnv(replicas: NatsReplicas): k8s.EnvVar[] {
  const hosts = Array.from({ length: replicas }, (_, index) => `${NAMES.nats}-${index}.${NAMES.natsHeadless}`);
  const routes = hosts.map((host) => `nats://routes:$(ROUTES_PASSWORD)@${host}:${PORTS.busRoutes}`);
  return [
    podField('POD_NAME', 'metadata.name'),
    {
      name: 'ROUTES_PASSWORD',
      valueFrom: { secretKeyRef: { name: NAMES.busSecret, key: 'routes.password' } },
    },
    { name: 'ROUTES', value: `[${routes.join(', ')}]` },
  ];
}
