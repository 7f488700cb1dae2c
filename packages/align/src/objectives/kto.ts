// KTO (Ethayarajh et al. 2024, arXiv:2402.01306, eq. 8; 7 in its first version): an answer's value
// is its log-ratio relative to a reference point: an estimate of KL(policy, reference) from answers
// to other prompts, clamped at 0 and without gradient. The loss is lambda_y - v = w (1 - s(..)),
// with w = lambda_y. The same as TRL's `kto`. d/dlog p = -+ b w s(x) s(-x): it fades on both sides,
// so hopeless and clearly right answers are left alone.
import { labelSign, labelWeight, type UnpairedObjective } from './unpaired.ts';

/**
 * w (1 - s(b (log-ratio - kl))) for a desirable answer, w (1 - s(b (kl - log-ratio))) for an
 * undesirable one
 */
export const kto: UnpairedObjective = {
  name: 'kto',
  needsKl: true,
  loss(scores, options) {
    const advantage = scores.policy.sub(scores.reference).sub(scores.kl); // [M]
    const value = advantage.mul(labelSign(scores)).mul(options.beta);
    return value.neg().sigmoid().mul(labelWeight(scores, options));
  },
};
