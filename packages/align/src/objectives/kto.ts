// KTO (Ethayarajh et al. 2024, arXiv:2402.01306, eq. 8; 7 in its first version): the value of an
// answer is its log-ratio against a reference point, an estimate of KL(policy, reference) from
// answers to other prompts, which is clamped at 0 and carries no gradient. The loss is lambda_y - v
// = w (1 - s(..)), w being lambda_y. TRL's `kto` is the same. d/dlog p = -+ b w s(x) s(-x): it
// fades on both sides, so that answers that are hopeless or clearly right are left alone.
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
