// Long work in steps: a generator that yields where other work may run, so that the event loop is
// not blocked for a whole forward pass. Scopes, gradient mode and a model's role are synchronous
// state, which must not apply to work that runs in a pause. Each is therefore left at every yield
// and entered again.
import { setImmediate } from 'node:timers/promises';
import { native } from './native.ts';
import { Scope } from './scope.ts';

/** What the next step waits for, such as other processes. */
export type Wait = () => Promise<void>;

/** A computation in steps, between which other work can run; it returns its result. */
export type Steps<T> = Generator<Wait | undefined, T, void>;

/**
 * Runs to the end without a pause.
 * @throws Error if a step has to wait
 */
export function atOnce<T>(steps: Steps<T>): T {
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
    if (value) {
      throw new Error(
        'the weights are divided among processes, and this computation cannot wait until they are gathered. Gather the whole model before it',
      );
    }
  }
}

/** Runs to the end, and lets the event loop run at every yield. */
export async function inTurns<T>(steps: Steps<T>): Promise<T> {
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
    await (value ? value() : setImmediate());
  }
}

/** Runs each step between `enter` and the function that it returns. */
export function* within<T>(enter: () => () => void, steps: Steps<T>): Steps<T> {
  for (;;) {
    const leave = enter();
    let result: ReturnType<Steps<T>['next']>;
    try {
      result = steps.next();
    } finally {
      leave();
    }
    if (result.done) return result.value;
    yield result.value;
  }
}

/** As `noGrad`, for work in steps. */
export function noGradSteps<T>(steps: Steps<T>): Steps<T> {
  return within(() => {
    const before = native.setGradEnabled(false);
    return () => native.setGradEnabled(before);
  }, steps);
}

/**
 * As `tidy`, for work in steps: frees the tensors created in the steps, except the result. Tensors
 * created during a pause are not affected.
 */
export function* tidySteps<T>(steps: Steps<T>): Steps<T> {
  using scope = new Scope();
  scope.leave();
  for (;;) {
    const leave = scope.enter();
    let wait: Wait | undefined;
    try {
      const { done, value } = steps.next();
      if (done) return scope.release(value);
      wait = value;
    } finally {
      leave();
    }
    yield wait;
  }
}
