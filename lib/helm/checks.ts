import { NAMES } from '../constructs/names.ts';

/**
 * `templates/checks.yaml`: says at an upgrade what Kubernetes would say less clearly. It gives no object. `helm template`
 * sees no cluster, so there it finds nothing to say.
 */
export const CHECKS = `{{- /* How to change what a StatefulSet does not let change. */}}
{{- with lookup "apps/v1" "StatefulSet" .Release.Namespace "${NAMES.nats}" }}
{{- $claim := (index .spec.volumeClaimTemplates 0).spec }}
{{- $size := $claim.resources.requests.storage }}
{{- $wanted := $.Values.nats.storage }}
{{- $how := printf "delete the StatefulSet and leave its Pods with 'kubectl --namespace %s delete statefulset ${NAMES.nats} --cascade=orphan', then upgrade again" $.Release.Namespace }}
{{- if ne (include "sympozium.bytes" $size) (include "sympozium.bytes" $wanted.size) }}
{{- fail (printf "\\n\\nnats.storage.size: got %s, expected %s, with which NATS was installed: Kubernetes does not let it change. To make it larger, change the size of the PersistentVolumeClaims data-${NAMES.nats}-*, %s" $wanted.size $size $how) }}
{{- end }}
{{- if ne ($claim.storageClassName | default "") $wanted.className }}
{{- fail (printf "\\n\\nnats.storage.className: got '%s', expected '%s', with which NATS was installed: Kubernetes does not let it change. Volumes that are there keep their class; for new ones, %s" $wanted.className ($claim.storageClassName | default "") $how) }}
{{- end }}
{{- end }}
`;
