import { isFinished, type AgentRun } from '../../../lib/api/v1alpha1/agent-run.ts';
import { RUN_PREFIX } from '../../../lib/api/group.ts';
import type { ToolApproval } from '../../../lib/api/v1alpha1/tool-approval.ts';
import { ALLOWED, refuse, type AdmissionRequest, type Verdict } from '../review.ts';

/** What decides who may create and decide ToolApprovals. */
export interface ApprovalFacts {
  readonly user: User;
  /** User name of the controller. */
  readonly controller: string;
  /** The run that wants to make the call, as it is now. */
  readonly run: AgentRun | undefined;
  readonly now: Date;
}

/** Whoever makes a request. */
export interface User {
  readonly name: string;
  readonly groups: readonly string[];
}

/** Whoever makes a request, as the API server knows them. */
export const userOf = ({ userInfo }: AdmissionRequest): User => ({
  name: userInfo?.username ?? '',
  groups: userInfo?.groups ?? [],
});

/** Only the platform asks people: whoever could ask in its name could have them approve what no run wants. */
export function admitNewApproval({ user, controller }: Pick<ApprovalFacts, 'user' | 'controller'>): Verdict {
  if (user.name === controller) return ALLOWED;
  return refuse(
    'ToolApprovals are created by the platform alone, when a run wants to call a tool that must be approved',
  );
}

/** Whether a request decides a call. */
export const decides = (before: ToolApproval, after: ToolApproval): boolean =>
  before.spec.decision === undefined && after.spec.decision !== undefined;

/** Who may decide, and until when. What the request changes besides is for the CRD's own rules. */
export function admitDecision(before: ToolApproval, after: ToolApproval, facts: ApprovalFacts): Verdict {
  const { user, controller, run, now } = facts;
  const { name } = before.metadata;
  if (isRun(user.name)) return refuse(`'${user.name}' belongs to a run, and runs can't decide what runs may do`);
  if (before.spec.decision !== undefined && before.spec.decision !== after.spec.decision) {
    return refuse(
      `ToolApproval '${name}' was decided already: ${before.spec.decision} by ${before.spec.decidedBy ?? 'someone'}`,
    );
  }
  if (!decides(before, after)) return ALLOWED;
  // It decides what nobody decided, and never in favour.
  if (user.name === controller && after.spec.decision === 'Denied') return ALLOWED;
  if (run === undefined || isFinished(run) || !isOwner(run, before)) {
    return refuse(`AgentRun '${before.spec.runRef}' has ended: its call can't be decided any more`);
  }
  if (Date.parse(before.spec.expiresAt) <= now.getTime()) {
    return refuse(`ToolApproval '${name}' could be decided until ${before.spec.expiresAt}: that is over`);
  }
  return mayDecide(before, user);
}

/** Whether the user is an approver in the eyes of everyone who names approvers. */
function mayDecide({ metadata, spec }: ToolApproval, { name, groups }: User): Verdict {
  for (const approvers of spec.approvers ?? []) {
    const { users = [], groups: named = [] } = approvers;
    if (users.includes(name) || named.some((group) => groups.includes(group))) continue;
    const who = [
      ...(users.length === 0 ? [] : [`users ${users.join(', ')}`]),
      ...(named.length === 0 ? [] : [`groups ${named.join(', ')}`]),
    ];
    const may = who.length === 0 ? 'nobody' : who.join(' and ');
    return refuse(`'${name}' may not decide ToolApproval '${metadata.name}': the policy lets ${may}`);
  }
  return ALLOWED;
}

const isRun = (user: string): boolean => new RegExp(`^system:serviceaccount:[^:]+:${RUN_PREFIX}`).test(user);

const isOwner = ({ metadata }: AgentRun, approval: ToolApproval): boolean =>
  approval.metadata.ownerReferences?.some(({ uid }) => uid === metadata.uid) === true;
