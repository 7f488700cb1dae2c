// APO-zero on single answers (D'Oosterlinck et al. 2024, arXiv:2408.06266, whose loss on pairs is a
// sum over its two answers): TRL's `apo_zero_unpaired`. It is KTO with a reference point of 0, so
// that no mismatched answers are scored. d/dlog p = -+ b w s(x) s(-x): like KTO's, it fades on both
// sides, and only undesirable answers are pushed down.
import { labelSign, labelWeight, type UnpairedObjective } from './unpaired.ts';

/** w (1 - s(b log-ratio)) for a desirable answer, w s(b log-ratio) for an undesirable one */
export const apoZeroUnpaired: UnpairedObjective = {
  name: 'apo_zero_unpaired',
  needsKl: false,
  loss(scores, options) {
    const ratio = scores.policy.sub(scores.reference).mul(options.beta); // [M]
    return ratio.mul(labelSign(scores)).neg().sigmoid().mul(labelWeight(scores, options));
  },
};
