import { ANNOTATIONS } from '../../../lib/api/group.ts';
import type { AgentRun } from '../../../lib/api/v1alpha1/agent-run.ts';
import type { AuditRecord } from '../../bus/messages.ts';
import type { RunRef } from '../../bus/subjects.ts';
import { cutText } from '../../cut.ts';

const ACTIONS = new Set<AuditRecord['action']>(['tool', 'approval', 'fetch', 'model', 'message']);
const VERDICTS = new Set<AuditRecord['verdict']>(['allowed', 'denied', 'asked', 'approved', 'expired', 'rejected']);

/** Longest texts of a record, in bytes. */
const LONGEST = { tool: 128, call: 128, by: 256, rule: 1024, uid: 64, at: 32 } as const;

/**
 * A record as far as it can be believed. The bus knows for sure which run has spoken, so that comes from the subject;
 * whose it is and who asked for it comes from the AgentRun. Of the rest only what the protocol knows is kept, and cut.
 *
 * @param run the run of that name that is there now, if it is
 */
export function trusted(
  ref: RunRef,
  told: AuditRecord,
  run: AgentRun | undefined,
): AuditRecord | { readonly because: string } {
  if (!ACTIONS.has(told.action)) return { because: `action is ${JSON.stringify(told.action)}` };
  if (!VERDICTS.has(told.verdict)) return { because: `verdict is ${JSON.stringify(told.verdict)}` };
  const known = run?.metadata.uid === told.uid ? run : undefined;
  const requestedBy = known?.metadata.annotations?.[ANNOTATIONS.requestedBy];
  const { action, verdict, argumentsHash } = told;
  return {
    v: 1,
    uid: cutText(told.uid, LONGEST.uid, '…'),
    at: cutText(told.at, LONGEST.at, '…'),
    namespace: ref.namespace,
    run: ref.name,
    ...(known === undefined ? {} : { instance: known.spec.instanceRef }),
    ...(requestedBy === undefined ? {} : { requestedBy }),
    action,
    ...textOf(told, 'tool'),
    ...textOf(told, 'call'),
    ...(typeof argumentsHash === 'string' && /^[0-9a-f]{64}$/.test(argumentsHash) ? { argumentsHash } : {}),
    verdict,
    rule: cutText(told.rule, LONGEST.rule, '…'),
    ...textOf(told, 'by'),
  };
}

function textOf(told: AuditRecord, field: 'tool' | 'call' | 'by'): Partial<Record<typeof field, string>> {
  const text: unknown = told[field];
  return typeof text === 'string' ? { [field]: cutText(text, LONGEST[field], '…') } : {};
}
