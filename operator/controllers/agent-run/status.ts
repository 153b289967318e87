import { setCondition, type Condition } from '../../../lib/api/conditions.ts';
import { CUT_NOTICE, MAX_MESSAGE, MAX_OUTPUT_BYTES } from '../../../lib/api/limits.ts';
import type { AgentRun, AgentRunStatus } from '../../../lib/api/v1alpha1/agent-run.ts';
import type { ResultMessage, Usage } from '../../bus/messages.ts';
import { cutText } from '../../cut.ts';
import type { Job } from '../../kube/resources.ts';
import { timestamp } from '../../runtime/clock.ts';
import { JOB_ANNOTATIONS } from './desired.ts';

/** What is known about the execution of a run. */
export interface Execution {
  readonly job?: Job | undefined;
  readonly podName?: string | undefined;
}

/** How a run ended, beside its phase. */
export interface Ending {
  readonly reason: string;
  readonly message: string;
  readonly usage?: Usage;
}

/**
 * The status of a run whose agent is at work.
 *
 * @param pending names of the ToolApprovals that wait for a decision
 */
export const running = (
  run: AgentRun,
  execution: Execution,
  now: Date,
  pending: readonly string[] = [],
): AgentRunStatus => ({
  ...executed(run, execution),
  phase: 'Running',
  ...awaiting(pending),
  conditions: conditionsOf(run, now, [
    ready('False', 'Running', 'the agent is at work'),
    reconciling('Running', 'the agent is at work'),
    ...awaitingApproval(pending),
  ]),
});

/** The status of a run whose Pod was lost while calls waited: it goes on when all of them are decided. */
export const lost = (
  run: AgentRun,
  execution: Execution,
  { message, pending }: { readonly message: string; readonly pending: readonly string[] },
  now: Date,
): AgentRunStatus => ({
  ...executed(run, execution),
  phase: 'Pending',
  reason: 'PodLost',
  message: message.slice(0, MAX_MESSAGE),
  ...awaiting(pending),
  conditions: conditionsOf(run, now, [
    ready('False', 'PodLost', message),
    reconciling('PodLost', message),
    ...awaitingApproval(pending),
  ]),
});

/** The status of a run that goes on in another Pod. */
export function resuming(run: AgentRun, attempt: number, now: Date): AgentRunStatus {
  const { podName: _, ...known } = executed(run, {});
  const message = `attempt ${attempt} goes on where the lost Pod stood`;
  return {
    ...known,
    attempts: attempt,
    phase: 'Pending',
    reason: 'Resuming',
    message,
    conditions: conditionsOf(run, now, [ready('False', 'Resuming', message), reconciling('Resuming', message)]),
  };
}

const awaiting = (pending: readonly string[]): Pick<AgentRunStatus, 'pendingApprovals'> =>
  pending.length === 0 ? {} : { pendingApprovals: [...pending] };

function awaitingApproval(pending: readonly string[]): Told[] {
  if (pending.length === 0) return [];
  const calls = pending.length === 1 ? 'a call waits' : `${pending.length} calls wait`;
  const message = `${calls} for a decision: ${pending.slice(0, 5).join(', ')}${pending.length > 5 ? ' …' : ''}; see kubectl get toolapprovals`;
  return [{ type: 'AwaitingApproval', status: 'True', reason: 'WaitingForDecision', message }];
}

/** The status of a run that is held up by something that may pass. */
export const held = (run: AgentRun, execution: Execution, { reason, message }: Ending, now: Date): AgentRunStatus => ({
  ...executed(run, execution),
  phase: 'Pending',
  reason,
  message: message.slice(0, MAX_MESSAGE),
  conditions: conditionsOf(run, now, [ready('False', reason, message), reconciling(reason, message)]),
});

/** The status of a run that ended as its bridge says. */
export function recorded(run: AgentRun, execution: Execution, result: ResultMessage, now: Date): AgentRunStatus {
  if (result.outcome === 'failed') return failed(run, execution, result, now);
  const text = cutText(result.output, MAX_OUTPUT_BYTES, CUT_NOTICE);
  const whole = Math.max(result.outputBytes, Buffer.byteLength(result.output));
  const truncated = `the response has ${whole} bytes; the first ${Buffer.byteLength(text)} are kept`;
  const isCut = text !== result.output || result.outputBytes > Buffer.byteLength(result.output);
  return {
    ...executed(run, execution),
    phase: 'Succeeded',
    reason: 'Completed',
    output: text,
    usage: result.usage,
    completionTime: timestamp(now),
    conditions: conditionsOf(run, now, [
      ready('True', 'Completed', 'the agent answered'),
      ...(isCut ? [{ type: 'OutputTruncated', status: 'True', reason: 'TooLong', message: truncated } as const] : []),
    ]),
  };
}

/** The status of a run that failed. */
export const failed = (run: AgentRun, execution: Execution, ending: Ending, now: Date): AgentRunStatus =>
  ended(run, execution, { ...ending, phase: 'Failed' }, now);

/** The status of a run that someone ended. */
export const cancelled = (run: AgentRun, execution: Execution, now: Date): AgentRunStatus =>
  ended(run, execution, { phase: 'Cancelled', reason: 'Cancelled', message: 'the run was cancelled' }, now);

function ended(
  run: AgentRun,
  execution: Execution,
  ending: Ending & { readonly phase: 'Failed' | 'Cancelled' },
  now: Date,
): AgentRunStatus {
  const { phase, reason, usage } = ending;
  const message = ending.message.slice(0, MAX_MESSAGE);
  return {
    ...executed(run, execution),
    phase,
    reason,
    message,
    ...(usage === undefined ? {} : { usage }),
    completionTime: timestamp(now),
    conditions: conditionsOf(run, now, [
      ready('False', reason, message),
      { type: 'Stalled', status: 'True', reason, message }, // kstatus: nothing more will happen by itself
    ]),
  };
}

/** What stays true from here on: when, where and under which rules the run was executed. */
function executed(run: AgentRun, { job, podName }: Execution): Omit<AgentRunStatus, 'phase'> {
  const { startTime, jobName, podName: knownPod, effectivePolicy, attempts } = run.status ?? {};
  const annotations = job?.metadata.annotations ?? {};
  const { [JOB_ANNOTATIONS.policy]: name, [JOB_ANNOTATIONS.policyHash]: hash } = annotations;
  const known = {
    startTime: startTime ?? job?.metadata.creationTimestamp,
    jobName: jobName ?? job?.metadata.name,
    podName: podName ?? knownPod,
    effectivePolicy: effectivePolicy ?? (name === undefined || hash === undefined ? undefined : { name, hash }),
    attempts,
    observedGeneration: run.metadata.generation,
  };
  return Object.fromEntries(Object.entries(known).filter(([, value]) => value !== undefined));
}

type Told = Omit<Condition, 'lastTransitionTime'>;

/** Exactly the conditions that are told of: `Reconciling` and `Stalled` are there only while they hold. */
function conditionsOf(run: AgentRun, now: Date, told: readonly Told[]): Condition[] {
  const known = (run.status?.conditions ?? []).filter(({ type }) => told.some((condition) => condition.type === type));
  const { generation } = run.metadata;
  const all = told.reduce<readonly Condition[]>(
    (conditions, next) =>
      setCondition(
        conditions,
        { ...next, ...(generation === undefined ? {} : { observedGeneration: generation }) },
        now,
      ),
    known,
  );
  return [...all];
}

const ready = (status: 'True' | 'False', reason: string, message: string): Told => ({
  type: 'Ready',
  status,
  reason,
  message,
});
const reconciling = (reason: string, message: string): Told => ({
  type: 'Reconciling',
  status: 'True',
  reason,
  message,
});
