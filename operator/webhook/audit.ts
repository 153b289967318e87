import { cutText } from '../cut.ts';
import type { AdmissionRequest } from './review.ts';

/** Longest rule in a record. */
const MAX_RULE_BYTES = 1024;

/** The audit record of a request that was refused: who wanted to do what to which object, and the rule. Never the object. */
export function refusalRecord(request: AdmissionRequest, rule: string, now: Date): Readonly<Record<string, unknown>> {
  const { kind, operation, namespace, subResource, userInfo, object, oldObject } = request;
  const { name, uid } = (object ?? oldObject)?.metadata ?? {};
  return {
    v: 1,
    ...(uid === undefined ? {} : { uid }),
    at: now.toISOString(),
    ...(namespace === undefined ? {} : { namespace }),
    ...(kind.kind === 'AgentRun' && name !== undefined ? { run: name } : {}),
    ...(userInfo?.username === undefined ? {} : { requestedBy: userInfo.username }),
    action: 'admission',
    operation,
    kind: kind.kind,
    ...(name === undefined ? {} : { name }),
    ...(subResource === undefined || subResource === '' ? {} : { subResource }),
    verdict: 'denied',
    rule: cutText(rule, MAX_RULE_BYTES, '…'),
  };
}
