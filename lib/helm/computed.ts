import { componentLabels } from '../constructs/labels.ts';
import { NAMES, PORTS } from '../constructs/names.ts';
import { NETWORK_POLICY_NAMES } from '../policy/network.ts';
import { AGENT_NAMESPACE_PLACEHOLDER, type Binding, type Field } from './bind.ts';
import { container, env, everyPod, nats, PROCESSES } from './fields.ts';

/** Field that is there only if the value is not empty. */
const optional = (path: string, fields: readonly Field[]): Binding => ({
  fields,
  when: `.Values.${path}`,
  expression: `.Values.${path} | toJson`,
});

const serviceUrl = (scheme: string, name: string, port: number): string =>
  `printf "${scheme}://${name}.%s.svc.%s:${port}" .Release.Namespace .Values.dns.clusterDomain | toJson`;

/** Image of a skill: the digest that may stand behind the tag is of the other image. */
const skillImage = (name: string): string =>
  `(.Values.skillImages.${name} | default (printf "%s-${name}:%s" .Values.image.repository (.Values.image.tag | default .Chart.AppVersion | splitList "@" | first)))`;

const dict = (map: Readonly<Record<string, string>>): string =>
  ['dict', ...Object.entries(map).flatMap((pair) => pair.map((word) => JSON.stringify(word)))].join(' ');

/** Annotations of what `helm uninstall` leaves there. */
const KEEP = 'dict "helm.sh/resource-policy" "keep" | toJson';

/** Fields that are more than a copy of one value. `crds` are the names of the CustomResourceDefinitions. */
export const computed = (crds: readonly string[]): Binding[] => [
  {
    fields: [...PROCESSES.map((name) => container(name, '/image')), env('controller', 'RUNTIME_IMAGE')],
    expression: 'printf "%s:%s" .Values.image.repository (.Values.image.tag | default .Chart.AppVersion) | toJson',
  },
  {
    fields: [env('controller', 'SKILL_IMAGES')],
    expression: `printf "kubectl=%s,git=%s" ${skillImage('kubectl')} ${skillImage('git')} | toJson`,
  },
  {
    fields: [env('controller', 'BUS_URL')],
    expression: serviceUrl('nats', NAMES.nats, PORTS.bus),
  },
  {
    fields: [env('controller', 'GATEWAY_URL')],
    expression: serviceUrl('http', NAMES.gateway, PORTS.gateway),
  },
  {
    fields: [env('gateway', 'CLUSTER_NETWORKS')],
    expression: '.Values.gateway.clusterNetworks | join "," | toJson',
  },
  {
    fields: [env('controller', 'DNS_ADDRESSES')],
    expression: '.Values.dns.addresses | join "," | toJson',
  },
  {
    fields: [NAMES.controller, NAMES.webhook, NAMES.nats, NETWORK_POLICY_NAMES.allow].map((name) => ({
      object: `NetworkPolicy/${name}`,
      pointer: '/spec/egress/0/to',
    })),
    expression: 'include "sympozium.dns" .',
  },
  {
    fields: [env('controller', 'BUS_REPLICAS')],
    expression: '.Values.nats.replicas | int64 | toString | toJson',
  },
  {
    fields: [env('controller', 'RETENTION_RUNS')],
    expression: '.Values.retention.runsPerInstance | int64 | toString | toJson',
  },
  {
    fields: crds.map((name) => ({ object: `CustomResourceDefinition/${name}`, pointer: '/metadata/annotations' })),
    when: '.Values.crds.keep',
    expression: KEEP,
  },
  {
    fields: [
      `Namespace/${AGENT_NAMESPACE_PLACEHOLDER}`,
      ...Object.values(NETWORK_POLICY_NAMES).map((name) => `NetworkPolicy/${name}`),
    ].map((object) => ({ object, pointer: '/metadata/annotations' })),
    adds: true,
    expression: KEEP,
  },
  ...PROCESSES.map((name) => ({
    fields: [{ object: `PodMonitor/${NAMES[name]}`, pointer: '/metadata/labels' }],
    expression: `merge (${dict(componentLabels(name))}) .Values.monitoring.labels | toJson`,
  })),
  ...Object.entries({ name: NAMES.webhookAuthority, kind: 'Issuer', group: 'cert-manager.io' }).map(
    ([field, standard]) => ({
      fields: [{ object: `Certificate/${NAMES.webhook}`, pointer: `/spec/issuerRef/${field}` }],
      expression: `.Values.certificates.certManager.issuerRef.${field} | default "${standard}" | toJson`,
    }),
  ),
  optional('nats.storage.className', [nats('/spec/volumeClaimTemplates/0/spec/storageClassName')]),
  ...['imagePullSecrets', 'nodeSelector', 'tolerations', 'priorityClassName'].map((path) =>
    optional(path, everyPod(`/${path}`)),
  ),
];
