// BCO on pairs (Jung et al. 2024, arXiv:2404.04656, eq. 8): a classifier of single answers, shifted
// by delta, the mean of all rewards: `bco_pair`. The paper's delta is a moving mean; here it is the
// mean over all earlier steps, so that it does not depend on how a step is split into passes. TRL
// 1.13's `bco_pair` has no delta: `bco_pair_unshifted`. Without delta, when both answers fall below
// the reference, chosen is pushed up strongly and rejected is hardly pushed down; with delta,
// rewards count relative to their mean. The gradient on chosen is -b s(-(b c - delta)): each answer
// saturates independently.
import type { Tensor } from '@keel/torch';
import { chosenLogRatio, definePaired, type PairedScores, rejectedLogRatio } from './paired.ts';

function classified(scores: PairedScores, beta: number, delta: number): Tensor {
  const chosen = chosenLogRatio(scores).mul(beta).sub(delta); // [P]
  const rejected = rejectedLogRatio(scores).mul(beta).sub(delta);
  return chosen.logSigmoid().add(rejected.neg().logSigmoid()).neg();
}

/** -log s(b c - delta) - log s(-(b r - delta)) */
export const bcoPair = definePaired({
  name: 'bco_pair',
  needsReference: true,
  softLabels: true,
  needs: ['running'],
  running: {
    bcoDelta: (scores, { beta }) =>
      chosenLogRatio(scores)
        .add(rejectedLogRatio(scores))
        .mul(beta / 2),
  },
  loss: (scores, { beta }) => classified(scores, beta, scores.running.bcoDelta ?? 0),
});

/** -log s(b c) - log s(-b r) */
export const bcoPairUnshifted = definePaired({
  name: 'bco_pair_unshifted',
  needsReference: true,
  softLabels: true,
  loss: (scores, { beta }) => classified(scores, beta, 0),
});
