import type { Field } from './bind.ts';
import { container, deployment, env, metricsPeer, nats, natsContainer, PROCESSES } from './fields.ts';
import * as schema from './schema.ts';

/** One value of the chart. */
export interface Value {
  /** Where it stands in `values.yaml`, dots between names. */
  readonly path: string;
  /** What it does, for `values.yaml` and the README. */
  readonly description: string;
  readonly schema: schema.JsonSchema;
  /** Fields that it is copied into. Its default is what the constructs put there. */
  readonly fields?: readonly Field[];
  /** Its default, when no field holds it as it is. */
  readonly default?: unknown;
}

const sized = (name: (typeof PROCESSES)[number], does: string): Value[] => [
  {
    path: `${name}.replicas`,
    description: `Number of Pods of the ${name}, which ${does}.`,
    schema: schema.replicas,
    fields: [deployment(name, '/spec/replicas')],
  },
  {
    path: `${name}.resources`,
    description: `CPU and memory of each Pod of the ${name}.`,
    schema: schema.resources,
    fields: [container(name, '/resources')],
  },
];

/** Every value of the chart, in the order in which `values.yaml` shows them. */
export const VALUES: readonly Value[] = [
  {
    path: 'image.repository',
    description: 'Image of our own processes, which run Pods use too.',
    schema: schema.text,
    default: 'ghcr.io/sympozium-ai/sympozium',
  },
  {
    path: 'image.tag',
    description: "Tag of the image; a digest may follow, as in `0.1.0@sha256:…`. Empty: the chart's appVersion.",
    schema: schema.optionalText,
    default: '',
  },
  {
    path: 'image.pullPolicy',
    description: 'When kubelets ask the registry for the image.',
    schema: schema.oneOf('Always', 'IfNotPresent', 'Never'),
    fields: [...PROCESSES.map((name) => container(name, '/imagePullPolicy')), env('controller', 'IMAGE_PULL_POLICY')],
  },
  {
    path: 'skillImages.kubectl',
    description:
      'Image of the skills that use kubectl. Empty: image.repository with `-kubectl` behind it, in the same tag.',
    schema: schema.optionalText,
    default: '',
  },
  {
    path: 'skillImages.git',
    description: 'Image of the skill that uses Git. Empty: image.repository with `-git` behind it, in the same tag.',
    schema: schema.optionalText,
    default: '',
  },
  {
    path: 'imagePullSecrets',
    description:
      "Secrets with the credentials of registries, as `[{name: my-secret}]`. For the control plane's own Pods.",
    schema: schema.objects,
    default: [],
  },
  {
    path: 'logLevel',
    description: 'How much the processes log.',
    schema: schema.oneOf('trace', 'debug', 'info', 'warn', 'error'),
    fields: PROCESSES.map((name) => env(name, 'LOG_LEVEL')),
  },
  ...sized('controller', 'turns AgentRuns into Jobs; one leads and the others stand by'),
  ...sized('webhook', 'looks at every object of our kinds before it is stored'),
  ...sized('gateway', "adds the provider's key to model calls"),
  {
    path: 'gateway.clusterNetworks',
    description:
      'Networks of the Pods and Services of the cluster that are not of a private range, such as `203.0.113.0/24`. The tool `fetch_url` reaches them only where a policy says egress mode `All`.',
    schema: schema.cidrs,
    default: [],
  },
  {
    path: 'nats.image',
    description: 'Image of NATS.',
    schema: schema.text,
    fields: [natsContainer('/image')],
  },
  {
    path: 'nats.replicas',
    description:
      'Number of Pods of NATS: 1, or 3 that keep every message three times. What is on the bus when this changes is not seen any more, so change it while no run is at work.',
    schema: { type: 'integer', enum: [1, 3] },
    fields: [nats('/spec/replicas')],
  },
  {
    path: 'nats.resources',
    description: 'CPU and memory of each Pod of NATS.',
    schema: schema.resources,
    fields: [natsContainer('/resources')],
  },
  {
    path: 'nats.storage.size',
    description:
      "Size of each Pod's volume, which keeps the messages. It can't change after installation: the chart says how to make it larger.",
    schema: schema.quantity,
    fields: [nats('/spec/volumeClaimTemplates/0/spec/resources/requests/storage')],
  },
  {
    path: 'nats.storage.className',
    description: "StorageClass of the volume. Empty: the cluster's default. It can't change after installation either.",
    schema: schema.optionalName,
    default: '',
  },
  {
    path: 'retention.age',
    description: 'Age at which finished runs are deleted, for example `24h`.',
    schema: schema.duration,
    fields: [env('controller', 'RETENTION_AGE')],
  },
  {
    path: 'retention.runsPerInstance',
    description: 'Number of finished runs that each SympoziumInstance keeps.',
    schema: { type: 'integer', minimum: 1, maximum: 100_000 },
    default: 100,
  },
  {
    path: 'dns.namespace',
    description:
      "Namespace of the cluster's DNS. Network policies open the way to its Pods labelled `k8s-app: kube-dns`.",
    schema: schema.objectName,
    fields: [env('controller', 'DNS_NAMESPACE')],
  },
  {
    path: 'dns.addresses',
    description:
      'Addresses of a DNS that does not run in Pods, such as `169.254.20.10/32` of NodeLocal DNSCache. Network policies open the way there too.',
    schema: schema.cidrs,
    default: [],
  },
  {
    path: 'dns.clusterDomain',
    description: 'Domain that the names of Services end in.',
    schema: schema.objectName,
    default: 'cluster.local',
  },
  {
    path: 'certificates.certManager.enabled',
    description:
      "Whether cert-manager, which must be in the cluster, makes the webhook's certificate. Otherwise the webhook does.",
    schema: schema.flag,
    default: false,
  },
  {
    path: 'certificates.certManager.issuerRef',
    description:
      'Issuer of cert-manager that signs it, as `{name: my-issuer, kind: ClusterIssuer}`. It must tell its own certificate (`ca.crt`). Empty: an authority of its own.',
    schema: schema.issuerRef,
    default: {},
  },
  {
    path: 'monitoring.podMonitors',
    description: 'Whether there are PodMonitors, for the Prometheus operator.',
    schema: schema.flag,
    default: false,
  },
  {
    path: 'monitoring.labels',
    description: 'Labels of the PodMonitors, by which a Prometheus selects them.',
    schema: schema.labels,
    default: {},
  },
  {
    path: 'monitoring.namespace',
    description: 'Namespace of Prometheus: with PodMonitors, network policies let its Pods reach the metrics.',
    schema: schema.objectName,
    fields: PROCESSES.map((name) => metricsPeer(name)),
  },
  {
    path: 'agentNamespaces',
    description:
      'Namespaces to be made for agents, with Pod Security `restricted` and a closed network. They outlive the chart.',
    schema: schema.namespaces,
    default: [],
  },
  {
    path: 'networkPolicies.enabled',
    description: 'Whether the network around the control plane is closed. Around run Pods it always is.',
    schema: schema.flag,
    default: true,
  },
  {
    path: 'crds.enabled',
    description: 'Whether the chart brings the CustomResourceDefinitions.',
    schema: schema.flag,
    default: true,
  },
  {
    path: 'crds.keep',
    description: 'Whether the CustomResourceDefinitions, and with them all agents and runs, outlive the chart.',
    schema: schema.flag,
    default: true,
  },
  {
    path: 'nodeSelector',
    description: 'Labels that nodes of the control plane must have.',
    schema: schema.labels,
    default: {},
  },
  {
    path: 'tolerations',
    description: 'Taints that Pods of the control plane tolerate.',
    schema: schema.objects,
    default: [],
  },
  {
    path: 'priorityClassName',
    description: "PriorityClass of Pods of the control plane. Empty: the cluster's default.",
    schema: schema.optionalName,
    default: '',
  },
];
