import { isFinished, type AgentRun } from '../../../lib/api/v1alpha1/agent-run.ts';
import type { ToolApproval } from '../../../lib/api/v1alpha1/tool-approval.ts';
import { isKubeError } from '../../kube/errors.ts';
import { TOOL_APPROVALS } from '../../kube/resources.ts';
import type { Result } from '../../runtime/controller.ts';
import { timestamp } from '../../runtime/clock.ts';
import type { RunContext } from '../agent-run/context.ts';
import { end } from '../agent-run/end.ts';
import { jobOf } from '../agent-run/own.ts';
import { failed } from '../agent-run/status.ts';
import { conditionsStatus, type Observation } from '../conditions.ts';
import { belongsTo, runOf } from './approvals.ts';

/** Who decides where nobody did; admission stamps the name of the controller's ServiceAccount over it. */
const PLATFORM = 'sympozium-controller';

const LOOK_AGAIN: Result = { requeueAfterMs: 200 };

/** Brings one ToolApproval forward: tells the time left, and decides it when that is up or its run has ended. */
export async function reconcileApproval(context: RunContext, key: string): Promise<Result> {
  const { caches, clock } = context;
  const approval = caches.toolApprovals.get(key);
  if (approval === undefined || approval.metadata.deletionTimestamp !== undefined) return {};
  const run = caches.runs.get(runOf(approval));
  if (run === undefined || !belongsTo(approval, run)) return {}; // it goes with its run
  if (approval.spec.decision !== undefined) return tell(context, approval, undefined);
  if (isFinished(run)) return deny(context, approval, 'the run has ended');

  const leftMs = Date.parse(approval.spec.expiresAt) - clock.date().getTime();
  if (leftMs > 0) {
    const told = await tell(context, approval, leftMs);
    return { requeueAfterMs: told.requeueAfterMs ?? nextStepMs(leftMs) };
  }
  if (approval.spec.onTimeout === 'Fail') return expire(context, run, approval);
  return deny(context, approval, 'nobody decided in time');
}

/** Ends a run that was not answered in time. The reconcile that follows decides what is left of it. */
function expire(context: RunContext, run: AgentRun, { metadata, spec }: ToolApproval): Promise<Result> {
  const job = jobOf(context, run);
  const message = `nobody decided in time whether '${spec.tool}' may be called (ToolApproval '${metadata.name}'), and the policy ends a run then: decide sooner, or give approval.timeout more time`;
  return end(context, run, failed(run, { job }, { reason: 'ApprovalTimeout', message }, context.clock.date()));
}

async function deny({ kube, caches, clock }: RunContext, approval: ToolApproval, reason: string): Promise<Result> {
  const decided: ToolApproval = {
    ...approval,
    spec: {
      ...approval.spec,
      decision: 'Denied',
      reason,
      decidedBy: PLATFORM,
      decidedAt: timestamp(clock.date()),
    },
  };
  try {
    caches.toolApprovals.observe(await kube.replace(TOOL_APPROVALS, decided));
    return {};
  } catch (error) {
    if (isKubeError(error, 'Conflict', 'NotFound')) return LOOK_AGAIN; // someone was first
    throw error;
  }
}

/** Writes what there is to say; nothing when that is said already. */
async function tell(
  { kube, caches, clock }: RunContext,
  approval: ToolApproval,
  leftMs: number | undefined,
): Promise<Result> {
  const timeLeft = leftMs === undefined ? undefined : inMinutes(leftMs);
  const said = conditionsStatus(approval, [observe(approval)], clock.date());
  if (said === undefined && approval.status?.timeLeft === timeLeft) return {};
  const { observedGeneration, conditions } = said ?? approval.status ?? {};
  const { apiVersion, kind, metadata } = approval;
  const { name, namespace, resourceVersion } = metadata;
  const target = {
    name,
    ...(namespace === undefined ? {} : { namespace }),
    ...(resourceVersion === undefined ? {} : { resourceVersion }),
  };
  const status = {
    ...(timeLeft === undefined ? {} : { timeLeft }),
    ...(observedGeneration === undefined ? {} : { observedGeneration }),
    ...(conditions === undefined ? {} : { conditions }),
  };
  try {
    caches.toolApprovals.observe(
      await kube.applyStatus(TOOL_APPROVALS, { apiVersion, kind, metadata: target, status }),
    );
    return {};
  } catch (error) {
    if (isKubeError(error, 'Conflict', 'NotFound')) return LOOK_AGAIN;
    throw error;
  }
}

function observe({ spec }: ToolApproval): Observation {
  if (spec.decision === undefined) {
    const how = `set spec.decision to Approved or Denied until ${spec.expiresAt}`;
    return { type: 'Ready', status: 'False', reason: 'WaitingForDecision', message: how };
  }
  const message = `${spec.decision === 'Approved' ? 'approved' : 'denied'} by ${spec.decidedBy ?? 'someone'}`;
  return { type: 'Ready', status: 'True', reason: spec.decision, message };
}

/** Time left, rounded up, in steps of a minute: `1h5m`, `15m`, `<1m`. */
export function inMinutes(leftMs: number): string {
  if (leftMs < 60_000) return '<1m';
  const minutes = Math.ceil(leftMs / 60_000);
  const [hours, rest] = [Math.floor(minutes / 60), minutes % 60];
  return `${hours === 0 ? '' : `${hours}h`}${rest === 0 && hours > 0 ? '' : `${rest}m`}`;
}

/** Milliseconds until another time left is to be told. */
const nextStepMs = (leftMs: number): number => (leftMs < 60_000 ? leftMs : leftMs % 60_000 || 60_000);
