import type { JudgeUsage } from '../judge.ts';

export type EndpointErrorCode =
  /** No connection: refused, unknown host, a bad certificate. */
  | 'unreachable'
  /** 401, 402, 403, or a quota that is used up. */
  | 'unauthorised'
  /** 404, or a redirection. */
  | 'not-found'
  | 'timeout'
  /** The connection ended within the answer. */
  | 'cut-off'
  | 'rate-limited'
  | 'server-error'
  /** What arrived is not a chat completion. */
  | 'malformed'
  /** The prompt is longer than the model's context. */
  | 'too-long'
  /** The endpoint's content filter refused the request. */
  | 'filtered'
  /** Any other status from 400 to 499. */
  | 'rejected'
  /** The endpoint does not accept a parameter that the caller insists on. */
  | 'unsupported';

interface EndpointFailure {
  code: EndpointErrorCode;
  /** HTTP status, if there was one. */
  status?: number | undefined;
  /**
   * `endpoint`: no other request will succeed either; `request`: this one failed.
   */
  scope: 'endpoint' | 'request';
  /** Whether the same request may succeed later. */
  transient: boolean;
  /** Requests that were made: 1, and one for each repetition. */
  attempts?: number;
}

/** An endpoint gave no answer. */
export class EndpointError extends Error {
  override readonly name = 'EndpointError';
  readonly code: EndpointErrorCode;
  readonly status: number | null;
  readonly scope: 'endpoint' | 'request';
  readonly transient: boolean;
  readonly attempts: number;

  constructor(message: string, { code, status, scope, transient, attempts = 1 }: EndpointFailure) {
    super(message);
    this.code = code;
    this.status = status ?? null;
    this.scope = scope;
    this.transient = transient;
    this.attempts = attempts;
  }
}

/** What an endpoint was used for so far. */
export interface Spending extends JudgeUsage {
  /** Requests that were answered, or may have been answered and are charged by estimate. */
  calls: number;
  /** How many of these are estimated, because the endpoint reported no usage. */
  estimated: number;
}

/** A call was not made, because it could exceed the budget. */
export class BudgetError extends Error {
  override readonly name = 'BudgetError';
  readonly spent: Spending;

  constructor(message: string, spent: Spending) {
    super(message);
    this.spent = spent;
  }
}
