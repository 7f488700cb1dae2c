import { type LanguageModel, loadAdapterHead } from '@keel/model';
import { noGrad, type Tensor } from '@keel/torch';

/**
 * The scalar head of a reward model's adapter, to be trained on.
 * @param named the option and its value, for messages
 * @param what it is to be: "a critic"
 * @returns [1, hidden], requiring gradients
 * @throws CheckpointError where it does not fit; Error where there is none, or several
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
      `${named} is an adapter without a scalar head: give one of a reward model (keel reward --lora)`,
    );
  }
  const heads = found.dim(0);
  if (heads === 1) return found.setRequiresGrad();
  noGrad(() => found.dispose());
  throw new Error(
    `${named} has ${heads} heads, and ${what} has one: give a reward model of one head`,
  );
}
