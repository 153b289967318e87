/** A fetch that is forbidden: by a policy, or because nothing may ever be fetched from there. */
export class DeniedError extends Error {
  override readonly name = 'DeniedError';
}

/** A fetch that came to nothing, for a reason that the model may do something about. */
export class FailedError extends Error {
  override readonly name = 'FailedError';
}
