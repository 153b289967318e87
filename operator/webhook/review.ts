import type { KubeObject } from '../kube/port.ts';

/** What the API server asks about one request. */
export interface AdmissionRequest {
  readonly uid: string;
  readonly kind: { readonly group: string; readonly kind: string };
  readonly operation: string;
  readonly namespace?: string;
  readonly subResource?: string;
  readonly userInfo?: { readonly username?: string; readonly groups?: readonly string[] };
  readonly object?: KubeObject | null;
  readonly oldObject?: KubeObject | null;
}

/** What we answer. */
export interface AdmissionResponse {
  readonly uid: string;
  readonly allowed: boolean;
  readonly status?: { readonly code: number; readonly reason: string; readonly message: string };
  readonly warnings?: readonly string[];
  readonly patchType?: 'JSONPatch';
  readonly patch?: string;
}

/** The verdict of a rule: warnings are shown to the user, refusals end the request. */
export type Verdict = { readonly refused: string } | { readonly warnings: readonly string[] };

export const ALLOWED: Verdict = { warnings: [] };
export const refuse = (sentence: string): Verdict => ({ refused: sentence });
export const warn = (...warnings: readonly string[]): Verdict => ({ warnings });

/** All verdicts as one: every refusal is told, so that all can be corrected at once. */
export function join(verdicts: readonly Verdict[]): Verdict {
  const refusals = verdicts.flatMap((verdict) => ('refused' in verdict ? [verdict.refused] : []));
  if (refusals.length > 0) return refuse(refusals.join('; '));
  return { warnings: verdicts.flatMap((verdict) => ('warnings' in verdict ? verdict.warnings : [])) };
}

/** The request in an AdmissionReview, or `undefined` when the body is something else. */
export function requestOf(body: string): AdmissionRequest | undefined {
  try {
    const review = JSON.parse(body) as { kind?: unknown; request?: Partial<AdmissionRequest> } | null;
    const request = review?.request;
    const complete =
      typeof request?.uid === 'string' &&
      typeof request.operation === 'string' &&
      typeof request.kind?.kind === 'string';
    return complete ? (request as AdmissionRequest) : undefined;
  } catch {
    return undefined;
  }
}

/** The AdmissionReview that carries a response. */
export const reviewOf = (response: AdmissionResponse): object => ({
  apiVersion: 'admission.k8s.io/v1',
  kind: 'AdmissionReview',
  response,
});

/** A verdict as a response. */
export function responseOf(uid: string, verdict: Verdict): AdmissionResponse {
  if ('refused' in verdict) {
    return { uid, allowed: false, status: { code: 422, reason: 'Invalid', message: verdict.refused } };
  }
  return { uid, allowed: true, ...(verdict.warnings.length === 0 ? {} : { warnings: verdict.warnings }) };
}
