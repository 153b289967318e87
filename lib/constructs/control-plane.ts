import { Chart } from 'cdk8s';
import { Construct } from 'constructs';
import { Admission } from './admission.ts';
import { AgentNamespace } from './agent-namespace.ts';
import { Controller, type Retention } from './controller.ts';
import { Crds } from './crds.ts';
import { Gateway, type GatewayOptions } from './gateway.ts';
import { resolveDns, SYSTEM_NAMESPACE, type DnsOptions } from './names.ts';
import { Nats, type NatsOptions } from './nats.ts';
import { NetworkPolicies } from './network-policies.ts';
import { People } from './people.ts';
import type { Scheduling } from './pod.ts';
import { MONITORING_NAMESPACE, PodMonitors, type MonitoringOptions } from './pod-monitors.ts';
import type { ImagePullPolicy, LogLevel, SizeProps } from './process.ts';
import { Rbac } from './rbac.ts';
import type { SkillImageOptions } from './skill-images.ts';
import { SystemNamespace } from './system-namespace.ts';
import { PACKAGE_VERSION } from './version.ts';
import { WebhookCertificate, type CertificatesOptions } from './webhook-certificate.ts';
import { Webhook } from './webhook.ts';

/** What can be chosen about the control plane. With none of it, it is what `dist/` holds. */
export interface ControlPlaneProps {
  /**
   * Namespace of the control plane.
   * @default sympozium-system
   */
  readonly namespace?: string;

  /**
   * Image of our own processes, which run Pods use too.
   * @default - ghcr.io/sympozium-ai/sympozium in the version of this package
   */
  readonly image?: string;

  /**
   * When kubelets ask the registry for the image.
   * @default IfNotPresent
   */
  readonly imagePullPolicy?: ImagePullPolicy;

  /**
   * Images of the built-in skills.
   * @default - named after the image of our own processes
   */
  readonly skillImages?: SkillImageOptions;

  /**
   * How much the processes log.
   * @default info
   */
  readonly logLevel?: LogLevel;

  /**
   * Size of the controller.
   * @default - 2 replicas
   */
  readonly controller?: SizeProps;

  /**
   * Size of the webhook.
   * @default - 2 replicas
   */
  readonly webhook?: SizeProps;

  /**
   * Size of the gateway, and what it counts as the cluster.
   * @default - 2 replicas
   */
  readonly gateway?: GatewayOptions;

  /**
   * The event bus.
   * @default - a volume of 4Gi of the cluster's default StorageClass
   */
  readonly nats?: NatsOptions;

  /**
   * How long finished runs are kept.
   * @default - 168h, 100 per instance
   */
  readonly retention?: Retention;

  /**
   * Whether the network around the control plane is closed. Around run Pods it always is.
   * @default true
   */
  readonly networkPolicies?: boolean;

  /**
   * Who makes the webhook's certificate.
   * @default - the webhook itself
   */
  readonly certificates?: CertificatesOptions;

  /**
   * How Prometheus finds the control plane.
   * @default - it does not
   */
  readonly monitoring?: MonitoringOptions;

  /**
   * Namespaces to be made for agents, closed in before the first of them runs.
   * @default - none: the controller closes the network of a namespace when the first agent is there
   */
  readonly agentNamespaces?: readonly string[];

  /**
   * Where the names of the cluster live.
   * @default - domain cluster.local, served by Pods in kube-system
   */
  readonly dns?: DnsOptions;

  /**
   * Where the control plane may run.
   * @default - anywhere
   */
  readonly scheduling?: Scheduling;
}

/** Image of our own processes when nobody names another. */
export const DEFAULT_IMAGE = `ghcr.io/sympozium-ai/sympozium:${PACKAGE_VERSION}`;

/** The whole control plane: one chart per part, in the order in which they are to be applied. */
export class ControlPlane extends Construct {
  /** The charts, in the order in which they are to be applied. */
  readonly charts: readonly Chart[];

  constructor(scope: Construct, id: string, props: ControlPlaneProps = {}) {
    super(scope, id);
    const { namespace = SYSTEM_NAMESPACE, image = DEFAULT_IMAGE } = props;
    const { dns, imagePullPolicy, logLevel, scheduling, certificates, networkPolicies = true } = props;
    const { nats, monitoring = {}, agentNamespaces = [] } = props;
    const { podMonitors = false, namespace: monitoringNamespace = MONITORING_NAMESPACE } = monitoring;
    const common = { namespace, image, imagePullPolicy, logLevel, scheduling };

    const parts: Record<string, (chart: Chart) => unknown> = {
      crds: (chart) => new Crds(chart, 'crds'),
      namespace: (chart) => new SystemNamespace(chart, 'namespace', { name: namespace }),
      rbac: (chart) => {
        new Rbac(chart, 'rbac', { namespace, certificates });
        new People(chart, 'people');
      },
      nats: (chart) => new Nats(chart, 'nats', { namespace, scheduling, ...nats }),
      controller: (chart) => {
        const { controller, retention, skillImages } = props;
        const busReplicas = nats?.replicas;
        new Controller(chart, 'controller', { ...common, ...controller, dns, busReplicas, retention, skillImages });
      },
      webhook: (chart) => {
        const certManager = certificates?.certManager;
        if (certManager !== undefined) {
          new WebhookCertificate(chart, 'certificate', { namespace, ...certManager });
        }
        new Webhook(chart, 'webhook', { ...common, ...props.webhook, certificates });
        const trustedBy = certManager === undefined ? 'webhook' : 'cert-manager';
        new Admission(chart, 'admission', { namespace, trustedBy });
      },
      gateway: (chart) => new Gateway(chart, 'gateway', { ...common, ...props.gateway }),
      ...(networkPolicies && {
        'network-policies': (chart: Chart) =>
          new NetworkPolicies(chart, 'network-policies', {
            namespace,
            dns,
            natsReplicas: nats?.replicas,
            ...(podMonitors ? { monitoringNamespace } : {}),
          }),
      }),
      ...(podMonitors && {
        monitoring: (chart: Chart) => new PodMonitors(chart, 'pod-monitors', { namespace, labels: monitoring.labels }),
      }),
      ...(agentNamespaces.length > 0 && {
        'agent-namespaces': (chart: Chart) => {
          const { namespace: dnsNamespace, addresses: dnsAddresses } = resolveDns(dns);
          const options = { systemNamespace: namespace, dnsNamespace, dnsAddresses };
          for (const name of agentNamespaces) new AgentNamespace(chart, name, { name, ...options });
        },
      }),
    };

    // The charts have no namespace of their own: cdk8s would write it on cluster-scoped objects as well.
    this.charts = Object.entries(parts).map(([part, define]) => {
      const chart = new Chart(this, part);
      define(chart);
      return chart;
    });
    this.charts.reduce((previous, chart) => {
      chart.addDependency(previous);
      return chart;
    });
  }
}
