import type { AgentRun } from '../../lib/api/v1alpha1/agent-run.ts';
import { isKubeError } from '../kube/errors.ts';
import { ApiError } from './failure.ts';

/**
 * What a caller is told of a run that failed: its reason and its sentence. Clients must not repeat it by themselves,
 * because what its tools did they would do again.
 */
export function runFailure({ metadata, status }: AgentRun): ApiError {
  const { phase, reason = 'Failed', message = 'no reason was given' } = status ?? {};
  const what = phase === 'Cancelled' ? 'was cancelled' : 'failed';
  return new ApiError(`AgentRun '${metadata.name}' ${what}: ${message}`, {
    status: reason === 'DeadlineExceeded' ? 504 : 502,
    code: reason,
  });
}

/** What a caller is told when the run can't be created: admission says why, and other troubles may pass. */
export function startFailure(error: unknown): unknown {
  if (isKubeError(error, 'Invalid', 'Forbidden')) {
    const sentence = /denied the request: (.*)$/s.exec(error.message)?.[1] ?? error.message;
    const status = error.code === 'Invalid' ? 422 : 403;
    return new ApiError(sentence, { status, code: 'run_refused' }, { cause: error });
  }
  if (isKubeError(error, 'Unavailable', 'TooManyRequests', 'Unauthorized')) {
    const message = 'the run could not be created, because the cluster does not answer: try again';
    return new ApiError(message, { status: 503, code: 'cluster_unavailable', retry: true }, { cause: error });
  }
  return error;
}
