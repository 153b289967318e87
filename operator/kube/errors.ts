/** What the API server, or the way to it, had against a request. */
export type KubeErrorCode =
  | 'NotFound'
  | 'AlreadyExists'
  | 'Conflict'
  | 'Invalid'
  | 'Forbidden'
  | 'Unauthorized'
  | 'Expired'
  | 'TooManyRequests'
  | 'Unavailable'
  | 'Failed';

/** The `Status` object that the API server answers a failed request with. */
export interface Status {
  readonly reason?: string;
  readonly message?: string;
  readonly code?: number;
  readonly details?: { readonly retryAfterSeconds?: number };
}

/** A request to the API server failed; `message` is the server's own sentence. */
export class KubeError extends Error {
  override readonly name = 'KubeError';
  readonly code: KubeErrorCode;
  /** HTTP status; 0 when no answer came. */
  readonly status: number;

  constructor(code: KubeErrorCode, status: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.status = status;
  }
}

/** Whether `error` is a {@link KubeError} of one of these codes. */
export const isKubeError = (error: unknown, ...codes: readonly KubeErrorCode[]): error is KubeError =>
  error instanceof KubeError && codes.includes(error.code);

/** Translates the answer to a failed request. */
export function kubeErrorOf(request: string, status: number, body: string): KubeError {
  const parsed = parseStatus(body);
  const sentence = parsed?.message ?? body.trim().slice(0, 500);
  return new KubeError(
    codeOf(status, parsed?.reason),
    status,
    `${request}: ${sentence === '' ? `HTTP ${status}` : sentence}`,
  );
}

function codeOf(status: number, reason: string | undefined): KubeErrorCode {
  if (status === 409) return reason === 'AlreadyExists' ? 'AlreadyExists' : 'Conflict';
  if (status === 410) return 'Expired';
  const codes: Readonly<Record<number, KubeErrorCode>> = {
    401: 'Unauthorized',
    403: 'Forbidden',
    404: 'NotFound',
    422: 'Invalid',
    429: 'TooManyRequests',
  };
  return codes[status] ?? (status >= 500 ? 'Unavailable' : 'Failed');
}

function parseStatus(body: string): Status | undefined {
  try {
    return JSON.parse(body) as Status;
  } catch {
    return undefined; // a proxy's page, or nothing
  }
}
