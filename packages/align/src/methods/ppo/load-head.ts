import { type LanguageModel, loadAdapterHead } from '@keel/model';
import { noGrad, type Tensor } from '@keel/torch';

/**
 * Loads the scalar head of a reward model's adapter for further training.
 * @param named the option and its value, for messages
 * @param what it becomes, such as "a critic"
 * @returns [1, hidden], requiring gradients
 * @throws CheckpointError if it does not fit; Error if there is none, or several
 */
export function loadHead(
  { decoder, device }: LanguageModel,
  folder: string,
  named: string,
  what: string,
): Tensor {
  const found = loadAdapterHead(decoder, folder, { device });
  if (found === null) {
    throw new Error(
      `${named} is an adapter without a scalar head. Pass a reward model's (keel reward --lora)`,
    );
  }
  const heads = found.dim(0);
  if (heads === 1) return found.setRequiresGrad();
  noGrad(() => found.dispose());
  throw new Error(
    `${named} has ${heads} heads, but ${what} has one. Pass a reward model with one head`,
  );
}
