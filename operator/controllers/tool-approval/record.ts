import { isFinished, type AgentRun } from '../../../lib/api/v1alpha1/agent-run.ts';
import type { ApprovalMessage } from '../../bus/messages.ts';
import type { Outcome } from '../../bus/run-bus.ts';
import type { RunRef } from '../../bus/subjects.ts';
import { isKubeError } from '../../kube/errors.ts';
import { keyFor, type KubeApi } from '../../kube/port.ts';
import { AGENT_RUNS, TOOL_APPROVALS } from '../../kube/resources.ts';
import type { Log } from '../../log.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Lookup } from '../../kube/lookup.ts';
import type { Caches } from '../caches.ts';
import { rulesOfRun } from '../control/rules-of-run.ts';
import { belongsTo } from './approvals.ts';
import { toolApproval } from './desired.ts';

/** What asking people works with. */
export interface RecordContext {
  readonly kube: Pick<KubeApi, 'get' | 'create'>;
  readonly caches: Pick<Caches, 'runs' | 'toolApprovals'>;
  readonly lookup: Lookup;
  readonly clock: Clock;
  readonly log: Log;
}

const LOOK_AGAIN: Outcome = { retryInMs: 1000 };

/** Asks people about a call of a run. Asking about the same call again does nothing. */
export async function recordApproval(
  context: RecordContext,
  { namespace, name }: RunRef,
  message: ApprovalMessage,
): Promise<Outcome> {
  const { kube, caches, clock, log } = context;
  let run: AgentRun | undefined = caches.runs.get(keyFor(namespace, name));
  if (run?.metadata.uid !== message.uid) run = await kube.get(AGENT_RUNS, { namespace, name });
  if (run?.metadata.uid !== message.uid || isFinished(run)) {
    log.info('Ignored a call of a run that has ended', { run: keyFor(namespace, name), call: message.call });
    return 'done';
  }
  const policy = await rulesOfRun(context.lookup, run);
  if (policy === undefined) return LOOK_AGAIN; // its policy or instance was deleted: the run ends by itself, or they come back
  const wanted = toolApproval(run, message, policy.approval, clock.date());
  try {
    caches.toolApprovals.observe(await kube.create(TOOL_APPROVALS, wanted));
    log.info('Asked about a call', {
      run: keyFor(namespace, name),
      approval: wanted.metadata.name,
      tool: message.tool,
    });
    return 'done';
  } catch (error) {
    if (isKubeError(error, 'Invalid')) return { poison: `it can't be asked about: ${error.message}` };
    if (!isKubeError(error, 'AlreadyExists')) throw error;
  }
  const existing = await kube.get(TOOL_APPROVALS, wanted.metadata);
  if (existing === undefined || !belongsTo(existing, run)) return LOOK_AGAIN; // an earlier run's, which is being deleted
  return existing.spec.call === message.call
    ? 'done'
    : { poison: `its name is that of call '${existing.spec.call}': ids of calls must not be made to look alike` };
}
