/** HTTP statuses that a request can fail with. */
export type ErrorStatus = 400 | 401 | 403 | 404 | 405 | 408 | 413 | 415 | 429 | 500 | 503;

const types: Readonly<Record<number, string>> = {
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  429: 'rate_limit_error',
  500: 'server_error',
  503: 'server_error',
};

/** A failed request, in OpenAI's form. */
export class ApiError extends Error {
  readonly status: ErrorStatus;
  /** The field at fault. */
  readonly param: string | null;
  readonly code: string | null;
  /** Seconds after which the client should try again. */
  readonly retryAfter: number | null;

  constructor(
    status: ErrorStatus,
    message: string,
    { param = null, code = null, retryAfter = null }: Partial<ErrorDetails> = {},
  ) {
    super(message);
    this.name = 'ApiError';
    this.status = status;
    this.param = param;
    this.code = code;
    this.retryAfter = retryAfter;
  }

  /** The body of the response. */
  get body(): { error: { message: string; type: string } & Omit<ErrorDetails, 'retryAfter'> } {
    const { message, param, code, status } = this;
    return { error: { message, type: types[status] ?? 'invalid_request_error', param, code } };
  }
}

interface ErrorDetails {
  param: string | null;
  code: string | null;
  retryAfter: number | null;
}

/** A request whose field `param` cannot be used. */
export const invalid = (param: string | null, message: string, code?: string): ApiError =>
  new ApiError(400, message, { param, code: code ?? null });
