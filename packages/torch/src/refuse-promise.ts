const isThenable = (value: unknown): value is PromiseLike<unknown> =>
  typeof value === 'object' &&
  value !== null &&
  'then' in value &&
  typeof value.then === 'function';

/**
 * What a synchronous function returned. @throws Error when it is a promise: what the function does
 * later would happen when the state that it should run in is gone.
 */
export function refusePromise<T>(result: T, caller: string, instead = ''): T {
  if (!isThenable(result)) return result;
  // Its own failure is not to end the process: the error below is the one to see.
  result.then(undefined, () => {});
  throw new Error(
    `${caller}() takes a synchronous function; this one returned a promise${instead}`,
  );
}
