import { LABELS } from '../../../../lib/api/group.ts';
import type { AgentRun } from '../../../../lib/api/v1alpha1/agent-run.ts';
import type { EgressRule, NetworkPolicy } from '../../../../lib/policy/network.ts';
import { own } from './rights.ts';

/** Opens for the Pod of one run what its skills declare, beside what every run may reach. */
export const networkPolicy = (run: AgentRun, egress: readonly EgressRule[]): NetworkPolicy => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata: own(run, run.metadata.namespace ?? 'default'),
  spec: {
    podSelector: { matchLabels: { [LABELS.component]: 'run', [LABELS.run]: run.metadata.name } },
    policyTypes: ['Egress'],
    egress,
  },
});
