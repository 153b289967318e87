import { REASON_HEADER, type FailureReason } from '../bus/messages.ts';

/** Header that OpenAI's clients obey: whether asking again can help. */
export const RETRY_HEADER = 'x-should-retry';

/** What a {@link GatewayError} says beside its sentence. */
export interface GatewayErrorInit {
  readonly status: number;
  /** One word for programs, in snake_case. */
  readonly code: string;
  readonly reason?: FailureReason;
  readonly retry?: boolean;
  readonly cause?: unknown;
}

/** A refusal or failure that the caller is told of, in one sentence that holds no secret. */
export class GatewayError extends Error {
  override readonly name = 'GatewayError';
  readonly status: number;
  readonly code: string;
  readonly reason: FailureReason;
  readonly retry: boolean;

  constructor(message: string, { status, code, reason = 'ModelError', retry = false, cause }: GatewayErrorInit) {
    super(message, { cause });
    this.status = status;
    this.code = code;
    this.reason = reason;
    this.retry = retry;
  }

  /** Headers of the answer. */
  get headers(): Readonly<Record<string, string>> {
    return { [REASON_HEADER]: this.reason, [RETRY_HEADER]: String(this.retry) };
  }

  /** Body of the answer, in the shape that OpenAI's clients read. */
  get body(): { readonly error: { readonly message: string; readonly type: string; readonly code: string } } {
    return { error: { message: this.message, type: typeOf(this.status), code: this.code } };
  }
}

function typeOf(status: number): string {
  if (status === 401) return 'authentication_error';
  if (status === 403) return 'permission_error';
  if (status === 404) return 'not_found_error';
  return status >= 500 ? 'api_error' : 'invalid_request_error';
}
