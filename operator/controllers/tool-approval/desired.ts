import { createHash } from 'node:crypto';
import { API_VERSION, ANNOTATIONS, LABELS } from '../../../lib/api/group.ts';
import type { AgentRun } from '../../../lib/api/v1alpha1/agent-run.ts';
import type { ToolApproval } from '../../../lib/api/v1alpha1/tool-approval.ts';
import type { ApprovalRules } from '../../../lib/policy/effective.ts';
import type { ApprovalMessage } from '../../bus/messages.ts';
import { timestamp } from '../../runtime/clock.ts';
import { LONGEST_WAIT_SECONDS } from './waited.ts';

/** Most characters of the arguments in short. */
const MOST_SUMMARY = 80;

/** Name of the ToolApproval of one call of a run. */
export const approvalName = (run: string, call: string): string =>
  `${run}-${createHash('sha256').update(call).digest('hex').slice(0, 8)}`;

/** What asks people about one call. Pure. */
export function toolApproval(run: AgentRun, message: ApprovalMessage, rules: ApprovalRules, now: Date): ToolApproval {
  const { name, namespace, uid = '', annotations } = run.metadata;
  const requestedBy = annotations?.[ANNOTATIONS.requestedBy];
  const seconds = Math.min(rules.timeoutSeconds, LONGEST_WAIT_SECONDS);
  return {
    apiVersion: API_VERSION,
    kind: 'ToolApproval',
    metadata: {
      name: approvalName(name, message.call),
      ...(namespace === undefined ? {} : { namespace }),
      labels: { [LABELS.run]: name, [LABELS.instance]: run.spec.instanceRef },
      ownerReferences: [{ apiVersion: run.apiVersion, kind: run.kind, name, uid, controller: true }],
    },
    spec: {
      runRef: name,
      call: message.call,
      tool: message.tool,
      arguments: { ...message.arguments },
      summary: summaryOf(message.arguments),
      rule: message.rule.slice(0, 1024),
      ...(requestedBy === undefined ? {} : { requestedBy: requestedBy.slice(0, 1024) }),
      approvers: rules.approvers.map(({ users, groups }) => ({
        ...(users.length === 0 ? {} : { users: [...users] }),
        ...(groups.length === 0 ? {} : { groups: [...groups] }),
      })),
      expiresAt: timestamp(new Date(now.getTime() + seconds * 1000)),
      onTimeout: rules.onTimeout,
    },
  };
}

/** Arguments on one line: of a single one its value, else all with their names. */
export function summaryOf(given: Readonly<Record<string, unknown>>): string {
  const entries = Object.entries(given);
  const shown = ([, value]: readonly [string, unknown]): string =>
    typeof value === 'string' ? value : JSON.stringify(value);
  const [only] = entries;
  const text =
    only !== undefined && entries.length === 1
      ? shown(only)
      : entries.map((entry) => `${entry[0]}=${shown(entry)}`).join(' ');
  const line = text.replace(/[\s\p{Cc}\p{Cf}]+/gu, ' ').trim(); // also what would rewrite a terminal, or read backwards
  return line.length <= MOST_SUMMARY ? line : cut(line);
}

/** As many characters as fit; one outside of the basic plane counts twice. */
function cut(line: string): string {
  let text = '';
  for (const character of line) {
    if (text.length + character.length > MOST_SUMMARY - 1) break;
    text += character;
  }
  return `${text}…`;
}
