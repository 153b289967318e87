import { X509Certificate } from 'node:crypto';
import { secondsSince } from '../metrics/instrument.ts';
import { certificateExpiry, reviews } from '../metrics/webhook.ts';
import type { AdmissionRequest, AdmissionResponse } from './review.ts';

/** Whoever reaches the port may send any word: only these become labels. */
const PATHS = ['mutate', 'validate'];
const KINDS = ['AgentRun', 'SympoziumInstance', 'SympoziumPolicy'];
const OPERATIONS = ['CREATE', 'UPDATE', 'DELETE', 'CONNECT'];

const oneOf = (known: readonly string[], value: string | undefined): string =>
  value !== undefined && known.includes(value) ? value : 'other';

/** Counts a request that came at `start`, and what it was answered. */
export function measureReview(
  start: number,
  path: string | undefined,
  { review, judged }: { readonly review?: AdmissionRequest; readonly judged?: AdmissionResponse },
): void {
  reviews.record(secondsSince(start), {
    path: oneOf(PATHS, path?.slice(1)),
    kind: oneOf(KINDS, review?.kind.kind),
    operation: oneOf(OPERATIONS, review?.operation),
    verdict: verdictOf(judged),
  });
}

function verdictOf(judged: AdmissionResponse | undefined): string {
  if (judged === undefined) return 'unanswered';
  if (judged.allowed) return 'allowed';
  return judged.status?.code === 500 ? 'failed' : 'refused';
}

/** Tells when the certificate ends that is served from now on. */
export function measureCertificate(pem: string): void {
  certificateExpiry.set(Date.parse(new X509Certificate(pem).validTo) / 1000, {});
}
