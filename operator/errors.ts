/** What the runtime does about a failed reconcile. */
export type Disposition =
  /** Something this object waits for is not there yet: look again at a known time. */
  | { readonly kind: 'wait'; readonly seconds: number }
  /** Only a person can fix this: do not try again until something changes. */
  | { readonly kind: 'stalled' };

/**
 * A reconcile failure that a person reads. Errors of any other class are bugs or outages: the runtime logs them with
 * their stack and tries again with growing pauses.
 */
export class ReconcileError extends Error {
  override readonly name = 'ReconcileError';
  /** One CamelCase word, for a condition. */
  readonly reason: string;
  readonly disposition: Disposition;

  private constructor(reason: string, message: string, disposition: Disposition, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
    this.disposition = disposition;
  }

  /** A failure that time may cure. */
  static waiting(reason: string, message: string, seconds: number, options?: ErrorOptions): ReconcileError {
    return new ReconcileError(reason, message, { kind: 'wait', seconds }, options);
  }

  /** A failure that only a person can cure. */
  static stalled(reason: string, message: string, options?: ErrorOptions): ReconcileError {
    return new ReconcileError(reason, message, { kind: 'stalled' }, options);
  }
}

/** A process can't start as it is configured; the message lists every problem at once. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/** The sentence of anything that was thrown; failed connections carry theirs in a code or in a list. */
export function messageOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return String(error);
  const { message, code, errors, name = 'unknown error' } = error as Partial<NodeJS.ErrnoException & AggregateError>;
  if (Array.isArray(errors) && errors.length > 0) return [...new Set(errors.map(messageOf))].join('; ');
  return message !== undefined && message !== '' ? message : (code ?? name);
}
