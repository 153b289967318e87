/** What a {@link ApiError} says beside its sentence. */
export interface ApiErrorInit {
  readonly status: number;
  /** One word for programs. */
  readonly code: string;
  /** Field of the request that is wrong. */
  readonly param?: string | undefined;
  /** Whether asking again can help. Default: no. */
  readonly retry?: boolean;
  /** Seconds after which the caller may ask again. */
  readonly retryAfter?: number;
}

/** A refusal or failure that the caller is told of, as OpenAI's clients read it. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly init: ApiErrorInit;

  constructor(message: string, init: ApiErrorInit, options?: ErrorOptions) {
    super(message, options);
    this.init = init;
  }

  get headers(): Readonly<Record<string, string>> {
    const { retry = false, retryAfter } = this.init;
    return {
      'x-should-retry': String(retry),
      ...(retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) }),
    };
  }

  get body() {
    const { status, code, param = null } = this.init;
    return { error: { message: this.message, type: typeOf(status), param, code } };
  }
}

/** A request that is wrong; `param` says where. */
export const invalid = (message: string, param?: string): ApiError =>
  new ApiError(message, { status: 400, code: 'invalid_value', param });

function typeOf(status: number): string {
  if (status === 401) return 'authentication_error';
  if (status === 403) return 'permission_error';
  if (status === 404) return 'not_found_error';
  if (status === 429) return 'rate_limit_error';
  return status >= 500 ? 'api_error' : 'invalid_request_error';
}
