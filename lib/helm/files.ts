import { Yaml } from 'cdk8s';
import type { JsonSchema } from './schema.ts';
import { fold, tree } from './tree.ts';
import type { Value } from './values.ts';

/** A value of which the default is known. */
export interface ResolvedValue extends Value {
  readonly default: unknown;
}

const generated = 'Generated from lib/ by `npm run synth`. Do not edit.';

/** `Chart.yaml`. */
export const chartYaml = (version: string, description: string): string =>
  `# ${generated}\n` +
  Yaml.stringify({
    apiVersion: 'v2',
    name: 'sympozium',
    description,
    type: 'application',
    version,
    appVersion: version,
    // Pod Security, CEL rules and native sidecars as we use them.
    kubeVersion: '>=1.30.0-0',
    keywords: ['ai', 'agents', 'policy'],
  });

/** `values.yaml`: every default, below what it does. */
export function valuesYaml(values: readonly ResolvedValue[]): string {
  const lines = fold<ResolvedValue, (key: string) => string[]>(
    tree(values.map((value) => [value.path, value])),
    (value) => (key) => [
      `# ${value.description}`,
      ...Yaml.stringify({ [key]: value.default })
        .trimEnd()
        .split('\n'),
    ],
    (children) => (key) => [`${key}:`, ...children.flatMap(([name, child]) => child(name)).map((line) => `  ${line}`)],
  )('values');
  // The root has no key of its own.
  return [`# ${generated}`, '', ...lines.slice(1).map((line) => line.slice(2)), ''].join('\n');
}

/** `values.schema.json`: Helm refuses values that don't fit, and names that don't exist. */
export function valuesSchema(values: readonly ResolvedValue[]): string {
  const schema = fold<ResolvedValue, JsonSchema>(
    tree(values.map((value) => [value.path, value])),
    (value) => ({ ...value.schema, description: value.description }),
    (children) => ({ type: 'object', properties: Object.fromEntries(children), additionalProperties: false }),
  );
  // A chart that has this one as a dependency hands `global` down.
  const properties = { ...schema.properties, global: { type: 'object' } };
  return `${JSON.stringify({ $schema: 'http://json-schema.org/draft-07/schema#', ...schema, properties }, undefined, 2)}\n`;
}

/** `README.md`. */
export const readme = (values: readonly ResolvedValue[]): string => `<!-- ${generated} -->

# Helm chart of Sympozium

\`\`\`sh
helm install sympozium charts/sympozium --namespace sympozium-system --create-namespace
kubectl label namespace sympozium-system pod-security.kubernetes.io/enforce=restricted
\`\`\`

With default values it installs what \`dist/sympozium.yaml\` holds, but for the namespace, which belongs to Helm's
\`--create-namespace\`; the second command lets the cluster enforce there what every Pod of the chart satisfies. The names
of the objects don't depend on the release: CRDs and admission configurations belong to the whole cluster, so there is
one control plane in it, and Helm refuses a second release.

The policies \`permissive\`, \`default\` and \`restrictive\` are not in the chart: the controller makes them when it first
starts, and what you change in them stays.

| value | default | meaning |
| --- | --- | --- |
${values.map(({ path, default: value, description }) => `| \`${path}\` | \`${JSON.stringify(value)}\` | ${description} |`).join('\n')}

## Upgrade

\`helm upgrade\` rolls every part, and runs that are at work end as if nothing had happened. Two values can't change after
installation, because Kubernetes does not let the volumes of a StatefulSet change: \`nats.storage.size\` and
\`nats.storage.className\`. An upgrade that tries says what to do. When \`nats.replicas\` changes, what is on the
bus is not seen any more: do that while no run is at work.

## Uninstall

\`helm uninstall sympozium\` leaves what people made and what is data: the CRDs, and so all agents and runs; namespaces of
\`agentNamespaces\`; the network policies around run Pods; the volume of the bus. A new installation under the same name
takes them over. Keys, certificates and the Lease, which the control plane makes for itself, go with its ServiceAccounts. With
\`crds.keep: false\` the CRDs, agents and runs go with the chart. To remove those as well:

\`\`\`sh
kubectl get crds -o name | grep '\\.sympozium\\.ai$' | xargs kubectl delete
kubectl delete networkpolicies --all-namespaces --selector sympozium.ai/managed-by=sympozium
kubectl delete namespaces --selector app.kubernetes.io/part-of=sympozium
kubectl delete namespace sympozium-system
\`\`\`
`;

/** `templates/NOTES.txt`: what `helm install` says at its end. */
export const NOTES = `Sympozium {{ .Chart.AppVersion }} is starting in namespace {{ .Release.Namespace }}:

  kubectl --namespace {{ .Release.Namespace }} get pods

Let the cluster enforce Pod Security in this namespace too:

  kubectl label namespace {{ .Release.Namespace }} pod-security.kubernetes.io/enforce=restricted

Then make your first agent in a namespace of your choice: a Secret with the provider's key, a SympoziumInstance, and an
AgentRun that asks it something:

  kubectl create secret generic openai-secret --from-literal=apiKey=...
  kubectl explain sympoziuminstance.spec
  kubectl get sympozium --all-namespaces
{{- if not .Values.networkPolicies.enabled }}

The network around the control plane is open: networkPolicies.enabled is false.
{{- end }}
{{- if .Values.certificates.certManager.enabled }}

Agents can be made once cert-manager has made the webhook's certificate:

  kubectl --namespace {{ .Release.Namespace }} get certificates
{{- end }}
`;

/** `templates/_helpers.tpl`: what a pipeline alone can't compute. */
export const HELPERS = `{{- /* Who may be asked for names: the peers of an egress rule, as JSON. */}}
{{- define "sympozium.dns" -}}
{{- $namespace := dict "matchLabels" (dict "kubernetes.io/metadata.name" .Values.dns.namespace) -}}
{{- $pods := dict "matchLabels" (dict "k8s-app" "kube-dns") -}}
{{- $peers := list (dict "namespaceSelector" $namespace "podSelector" $pods) -}}
{{- range .Values.dns.addresses -}}
{{- $peers = append $peers (dict "ipBlock" (dict "cidr" .)) -}}
{{- end -}}
{{- $peers | toJson -}}
{{- end }}

{{- /* A quantity of Kubernetes as a number, for comparing. */}}
{{- define "sympozium.bytes" -}}
{{- $units := dict "" 1 "m" 0.001 "k" 1e3 "M" 1e6 "G" 1e9 "T" 1e12 "P" 1e15 "E" 1e18 "Ki" 1024 "Mi" 1048576 "Gi" 1073741824 "Ti" 1099511627776 "Pi" 1125899906842624 "Ei" 1152921504606846976 -}}
{{- mulf (regexFind "^[0-9.]+" . | float64) (get $units (regexFind "[A-Za-z]*$" .)) -}}
{{- end }}
`;

/** `.helmignore`. */
export const HELMIGNORE = '.DS_Store\n.git/\n*.tgz\n*.swp\n';
