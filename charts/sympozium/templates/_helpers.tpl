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
