const isThenable = (value: unknown): value is PromiseLike<unknown> =>
  typeof value === 'object' &&
  value !== null &&
  'then' in value &&
  typeof value.then === 'function';

/**
 * Checks the result of a synchronous function. @throws Error if it is a promise, because the
 * function's later work would run outside the state that it needs.
 */
export function refusePromise<T>(result: T, caller: string, instead = ''): T {
  if (!isThenable(result)) return result;
  // A rejection must not end the process. The error below is the one to report.
  result.then(undefined, () => {});
  throw new Error(
    `${caller}() takes a synchronous function; this one returned a promise${instead}`,
  );
}
