import { k8s } from 'cdk8s-plus-28';
import { Construct } from 'constructs';
import { componentLabels } from './labels.ts';
import { NAMES, PORTS } from './names.ts';
import {
  hardenedPod,
  httpProbe,
  resourceRequirements,
  RESTRICTED_CONTAINER,
  type Resources,
  type Scheduling,
} from './pod.ts';

/** The part of NATS that its operator chooses. */
export interface NatsOptions {
  /**
   * Image of NATS.
   * @default docker.io/library/nats:2.15.2-alpine
   */
  readonly image?: string;

  /**
   * CPU and memory of the Pod.
   * @default - 50m CPU and 64Mi requested, at most 512Mi
   */
  readonly resources?: Resources;

  /**
   * Size of the volume that keeps the messages. Kubernetes does not let it change after installation.
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

/**
 * The event bus: NATS with JetStream on a volume, so that no message is lost when its Pod is. Its configuration comes
 * from the Secret that the controller makes; until then the Pod waits for it.
 */
export class Nats extends Construct {
  constructor(scope: Construct, id: string, props: NatsProps) {
    super(scope, id);
    const { namespace, storageSize = '4Gi', storageClassName } = props;
    const labels = componentLabels('nats');

    new k8s.KubeStatefulSet(this, 'stateful-set', {
      metadata: { name: NAMES.nats, namespace, labels },
      spec: {
        replicas: 1,
        revisionHistoryLimit: 3,
        selector: { matchLabels: labels },
        serviceName: NAMES.natsHeadless,
        template: hardenedPod('nats', 'no-api-token', props.scheduling ?? {}, {
          terminationGracePeriodSeconds: 60,
          containers: [container(props)],
          volumes: [
            {
              name: 'config',
              // The Secret holds the controller's keys too: only the configuration comes into this Pod.
              secret: {
                secretName: NAMES.busSecret,
                items: [{ key: 'nats.conf', path: 'nats.conf' }],
                defaultMode: 0o440,
              },
            },
          ],
        }),
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

    const port = { name: 'client', port: PORTS.bus, targetPort: k8s.IntOrString.fromString('client') };
    new k8s.KubeService(this, 'service', {
      metadata: { name: NAMES.nats, namespace, labels },
      spec: { selector: labels, ports: [port] },
    });
    new k8s.KubeService(this, 'headless-service', {
      metadata: { name: NAMES.natsHeadless, namespace, labels },
      spec: { clusterIp: 'None', publishNotReadyAddresses: true, selector: labels, ports: [port] },
    });
  }
}

function container({ image = DEFAULT_IMAGE, resources = DEFAULT_RESOURCES }: NatsProps): k8s.Container {
  return {
    name: 'nats',
    image,
    imagePullPolicy: 'IfNotPresent',
    command: ['nats-server', '-c', '/etc/nats/nats.conf'],
    ports: [
      { name: 'client', containerPort: PORTS.bus },
      { name: 'monitor', containerPort: PORTS.busMonitor },
    ],
    // Reading a full store back can take minutes; killing NATS meanwhile would only start it over.
    startupProbe: httpProbe('/healthz', PORTS.busMonitor, 1, 600),
    readinessProbe: httpProbe('/healthz?js-server-only=true', PORTS.busMonitor, 5, 2),
    livenessProbe: httpProbe('/healthz?js-enabled-only=true', PORTS.busMonitor, 10, 3),
    resources: resourceRequirements(resources),
    securityContext: RESTRICTED_CONTAINER,
    volumeMounts: [
      { name: 'config', mountPath: '/etc/nats', readOnly: true },
      { name: 'data', mountPath: '/data' },
    ],
  };
}
