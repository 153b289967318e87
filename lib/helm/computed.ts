import { NAMES, PORTS } from '../constructs/names.ts';
import type { Binding, Field } from './bind.ts';
import { container, env, everyPod, nats, PROCESSES } from './fields.ts';

/** Field that is there only if the value is not empty. */
const optional = (path: string, fields: readonly Field[]): Binding => ({
  fields,
  when: `.Values.${path}`,
  expression: `.Values.${path} | toJson`,
});

const serviceUrl = (scheme: string, name: string, port: number): string =>
  `printf "${scheme}://${name}.%s.svc.%s:${port}" .Release.Namespace .Values.dns.clusterDomain | toJson`;

/** Fields that are more than a copy of one value. `crds` are the names of the CustomResourceDefinitions. */
export const computed = (crds: readonly string[]): Binding[] => [
  {
    fields: [...PROCESSES.map((name) => container(name, '/image')), env('controller', 'RUNTIME_IMAGE')],
    expression: 'printf "%s:%s" .Values.image.repository (.Values.image.tag | default .Chart.AppVersion) | toJson',
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
    fields: [env('controller', 'DNS_ADDRESSES')],
    expression: '.Values.dns.addresses | join "," | toJson',
  },
  {
    fields: ['controller', 'webhook'].map((name) => ({
      object: `NetworkPolicy/sympozium-${name}`,
      pointer: '/spec/egress/0/to',
    })),
    expression: 'include "sympozium.dns" .',
  },
  {
    fields: [env('controller', 'RETENTION_RUNS')],
    expression: '.Values.retention.runsPerInstance | int64 | toString | toJson',
  },
  {
    fields: crds.map((name) => ({ object: `CustomResourceDefinition/${name}`, pointer: '/metadata/annotations' })),
    when: '.Values.crds.keep',
    expression: 'dict "helm.sh/resource-policy" "keep" | toJson',
  },
  optional('nats.storage.className', [nats('/spec/volumeClaimTemplates/0/spec/storageClassName')]),
  ...['imagePullSecrets', 'nodeSelector', 'tolerations', 'priorityClassName'].map((path) =>
    optional(path, everyPod(`/${path}`)),
  ),
];

/** Parts that a value switches off as a whole. */
export const SWITCHES: Readonly<Record<string, string>> = {
  crds: 'crds.enabled',
  'network-policies': 'networkPolicies.enabled',
};
