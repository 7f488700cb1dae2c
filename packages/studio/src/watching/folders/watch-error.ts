/**
 * `unknown`: there is no such run or file; `refused`: not in its present state; `invalid`: the
 * question is wrong.
 */
export type WatchErrorCode = 'unknown' | 'refused' | 'invalid';

/** What a watcher cannot do, in a sentence for its reader. */
export class WatchError extends Error {
  override readonly name = 'WatchError';
  readonly code: WatchErrorCode;

  constructor(code: WatchErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
