// Everything that a step of training has to tell, read with a single wait for the device.
import { AsyncLocalStorage } from 'node:async_hooks';
import { phase, readAll, type Unread } from '@keel/torch';

/**
 * Updates the weights, on the device: called once all gradients of the step are there, and before
 * anything of it is read.
 * @param losses of the step, on the device: an update that depends on one that is not finite must
 *   change nothing
 * @returns what is read together with the step's numbers
 */
export type UpdateWeights = (losses: readonly Unread<unknown>[]) => readonly Unread<unknown>[];

const current = new AsyncLocalStorage<{ update: UpdateWeights | null }>();

/**
 * Runs a step. `update` is called before it ends where the step says which of its passes are the
 * last that add a gradient; the caller updates the weights where it was not.
 */
export const withUpdate = <T>(update: UpdateWeights, step: () => T): T =>
  current.run({ update }, step);

/**
 * Reads numbers of passes, with one wait.
 * @param lastLosses the losses among them, if no gradient is added after these passes: then the
 *   step's update comes first
 */
export function readInStep(
  unread: readonly Unread<unknown>[],
  lastLosses: readonly Unread<unknown>[] | null,
): unknown[] {
  const step = current.getStore();
  const update = lastLosses === null ? null : (step?.update ?? null);
  if (step !== undefined && update !== null) step.update = null;
  const more = update?.(lastLosses!) ?? [];
  // The update's numbers come first: a number of the step may be refused with an error.
  return phase('numbers', () => readAll([...more, ...unread])).slice(more.length);
}
