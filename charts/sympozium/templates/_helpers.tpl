{{- /* Who may be asked for names: the peers of an egress rule, as JSON. */}}
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
