// BCO (Jung et al. 2024, arXiv:2404.04656, eq. 8): a classifier of single answers by implicit
// reward, shifted by delta. In the paper (eq. 7) delta lies halfway between the mean reward of
// desirable answers and that of undesirable ones: `bco_balanced`. TRL's `bco` (experimental) takes
// the mean of all answers, which is the same only if both labels are equally frequent: `bco`. The
// paper uses moving means, and TRL's mean includes the pass's own rewards; here the means are over
// all earlier steps, so that the split into passes does not matter. A label that has not occurred
// yet counts as 0. d/dlog p = -+ b w s(-x): unlike KTO, an answer that is badly wrong keeps its
// whole gradient.
import type { Tensor } from '@keel/torch';
import {
  labelSign,
  labelWeight,
  type UnpairedObjective,
  type UnpairedOptions,
  type UnpairedScores,
} from './unpaired.ts';

/** b log-ratio, [M] */
const rewards = ({ policy, reference }: UnpairedScores, { beta }: UnpairedOptions): Tensor =>
  policy.sub(reference).mul(beta);

function classified(scores: UnpairedScores, options: UnpairedOptions, delta: number): Tensor {
  const reward = rewards(scores, options).sub(delta); // [M]
  return reward.mul(labelSign(scores)).logSigmoid().neg().mul(labelWeight(scores, options));
}

/**
 * -w log s(b log-ratio - delta) for a desirable answer, -w log s(delta - b log-ratio) for an
 * undesirable one
 */
export const bco: UnpairedObjective = {
  name: 'bco',
  needsKl: false,
  running: { bcoDelta: rewards },
  loss: (scores, options) => classified(scores, options, scores.running.bcoDelta ?? 0),
};

const meanOf = (sum: number, share: number): number => (share > 0 ? sum / share : 0);

/** The same with delta halfway between the two labels */
export const bcoBalanced: UnpairedObjective = {
  name: 'bco_balanced',
  needsKl: false,
  // Sums over each label and the number of answers with each label, per answer.
  running: {
    bcoDesirable: (scores, options) => rewards(scores, options).mul(scores.desirable),
    bcoUndesirable: (scores, options) =>
      rewards(scores, options).mul(scores.desirable.sub(1).neg()),
    bcoShare: ({ desirable }) => desirable,
  },
  loss(scores, options) {
    const { bcoDesirable = 0, bcoUndesirable = 0, bcoShare = 0 } = scores.running;
    const delta = (meanOf(bcoDesirable, bcoShare) + meanOf(bcoUndesirable, 1 - bcoShare)) / 2;
    return classified(scores, options, delta);
  },
};
