import { ApiObject } from 'cdk8s';
import { Construct } from 'constructs';
import { componentLabels } from './labels.ts';

/** How Prometheus finds the control plane. */
export interface MonitoringOptions {
  /**
   * Whether there are PodMonitors, which need the Prometheus operator's CustomResourceDefinitions.
   * @default false
   */
  readonly podMonitors?: boolean;

  /**
   * Labels by which a Prometheus selects its PodMonitors.
   * @default - none
   */
  readonly labels?: Readonly<Record<string, string>>;

  /**
   * Namespace of Prometheus: the network policies let its Pods reach the metrics.
   * @default monitoring
   */
  readonly namespace?: string;
}

/** Namespace of Prometheus when nobody says otherwise. */
export const MONITORING_NAMESPACE = 'monitoring';

/** What the PodMonitors need to know. */
export interface PodMonitorsProps extends Pick<MonitoringOptions, 'labels'> {
  /** Namespace of the control plane. */
  readonly namespace: string;
}

/** Tells the Prometheus operator about the metrics of our processes. NATS has none that Prometheus could read. */
export class PodMonitors extends Construct {
  constructor(scope: Construct, id: string, { namespace, labels }: PodMonitorsProps) {
    super(scope, id);
    for (const component of ['controller', 'webhook', 'gateway'] as const) {
      new ApiObject(this, component, {
        apiVersion: 'monitoring.coreos.com/v1',
        kind: 'PodMonitor',
        metadata: {
          name: `sympozium-${component}`,
          namespace,
          labels: { ...labels, ...componentLabels(component) },
        },
        ...{
          spec: {
            selector: { matchLabels: componentLabels(component) },
            podMetricsEndpoints: [{ port: 'health', path: '/metrics' }],
          },
        },
      });
    }
  }
}
