import type { RunHooks } from '../training/run-training.ts';

/** Stops after a step, like ^C between steps. */
export function stopping(after: number): RunHooks {
  const controller = new AbortController();
  return {
    signal: controller.signal,
    onEvent(event) {
      const between = event.type === 'start' || event.type === 'step';
      if (between && event.step === after) controller.abort();
    },
  };
}
