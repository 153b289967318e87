import type { AgentRun } from '../../../lib/api/v1alpha1/agent-run.ts';
import type { SympoziumInstance } from '../../../lib/api/v1alpha1/instance.ts';
import type { EffectivePolicy } from '../../../lib/policy/effective.ts';
import type { TaskMessage } from '../../bus/messages.ts';

/** Most model calls of a run when its instance doesn't say. */
const DEFAULT_MODEL_CALLS = 50;

/** What the bridge of a run is told. */
export const taskOf = (run: AgentRun, { spec }: SympoziumInstance, policy: EffectivePolicy): TaskMessage => ({
  v: 1,
  uid: run.metadata.uid ?? '',
  task: {
    input: run.spec.input,
    ...(spec.systemPrompt === undefined ? {} : { systemPrompt: spec.systemPrompt }),
    model: spec.provider.model,
  },
  policy,
  limits: { modelCalls: spec.limits?.modelCallsPerRun ?? DEFAULT_MODEL_CALLS },
});
