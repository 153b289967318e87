import { API_VERSION } from '../api/group.ts';
import type { SympoziumPolicy } from '../api/v1alpha1/policy.ts';

const policy = (name: string, spec: SympoziumPolicy['spec']): SympoziumPolicy => ({
  apiVersion: API_VERSION,
  kind: 'SympoziumPolicy',
  metadata: { name },
  spec,
});

/** The policies that ship in the system namespace; an administrator may change them there. */
export const BUILTIN_POLICIES: readonly SympoziumPolicy[] = [
  policy('permissive', { template: 'Permissive' }),
  policy('default', { template: 'Default', requireApproval: ['execute_command'] }),
  policy('restrictive', {
    template: 'Restrictive',
    sandbox: { enabled: true, runtimeClass: 'gvisor' },
    allowedTools: ['memory_search', 'memory_store', 'send_channel_message'],
  }),
];
