// Scalar heads of reward models and critics: one row of weights per head, no bias, as in
// transformers' sequence classifiers (`score.weight`).
import { type Device, empty, type Tensor, tidy, withSeed } from '@keel/torch';
import type { Decoder } from '../decoder.ts';

/** Name of the weight in the checkpoint of a whole model. */
export const SCORE_WEIGHT = 'score.weight';
/**
 * Name of the weight in an adapter's file: a module that PEFT saves beside the low-rank pairs
 * (`modules_to_save`).
 */
export const PEFT_SCORE_WEIGHT = `base_model.model.${SCORE_WEIGHT}`;

export interface NewScoreHeadOptions {
  /** Heads of an ensemble, each of which gives one score (default: 1). */
  heads?: number;
  /** Head k is drawn with seed + k, and so equals a single head with that seed. */
  seed: number;
  /** Standard deviation of the weights (default: transformers' `initializer_range`). */
  deviation?: number;
  device?: Device;
}

/**
 * A head with normally distributed weights, initialised as in transformers.
 * @returns [heads, hidden] float32, requiring gradients
 * @throws RangeError if the number of heads is not a whole number above 0
 */
export function newScoreHead(
  { config }: Pick<Decoder, 'config'>,
  { heads = 1, seed, deviation = 0.02, device = 'cpu' }: NewScoreHeadOptions,
): Tensor {
  if (!Number.isInteger(heads) || heads < 1) {
    throw new RangeError(`${heads} heads: expected a whole number above 0`);
  }
  const weight = tidy(() => {
    const drawn = empty([heads, config.hiddenSize]);
    for (let head = 0; head < heads; head++) {
      withSeed(seed + head, () => drawn.select(0, head).normal_(0, deviation));
    }
    return drawn.to({ device });
  });
  return weight.keep().setRequiresGrad();
}

/**
 * Scores of hidden states, in float32 or wider.
 * @param states [N, hidden], after the final norm
 * @param weight [K, hidden]
 * @returns [N, K]
 */
export function headScores(states: Tensor, weight: Tensor): Tensor {
  const wide = states.dtype === 'float64' ? 'float64' : 'float32';
  return states.to(wide).matmul(weight.to(wide).t());
}
