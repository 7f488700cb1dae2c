// ORPO (Hong et al. 2024, arXiv:2403.07691, eq. 6 and 7): supervised fine-tuning with an odds-ratio
// term, without a reference or an earlier stage. p is the mean likelihood of a token, exp(log p /
// n). Beta is the paper's lambda. TRL averages the likelihood over all chosen tokens of the batch:
// `orpo`; the paper's eq. 3 over each answer: `orpo_by_answer`. TRL's mean also includes the
// prompt's tokens; Keel does not train on prompts. The odds of a certain answer (p = 1) are
// infinite, so log p / n is capped at -1e-6.
import type { Tensor } from '@keel/torch';
import { definePaired, type PairedScores, perToken } from './paired.ts';
import { tokenMeanNll } from './token-mean-nll.ts';

/** log(p / (1 - p)), [P]; 1 - p = tanh(-x/2) (1 + e^x) for x = log p, which is exact near 1 */
function logOdds(mean: Tensor): Tensor {
  const logit = mean.clamp(null, -1e-6);
  const complement = logit.div(-2).tanh().log().sub(logit.neg().logSigmoid());
  return logit.sub(complement);
}

/** -log s(log odds_c - log odds_r), [P] */
function oddsRatioLoss(scores: PairedScores): Tensor {
  const chosen = logOdds(perToken(scores.policyChosen, scores.tokensChosen));
  const rejected = logOdds(perToken(scores.policyRejected, scores.tokensRejected));
  return chosen.sub(rejected).logSigmoid().neg();
}

/** -log p_c / mean n_c + b odds ratio loss */
export const orpo = definePaired({
  name: 'orpo',
  needsReference: false,
  loss: (scores, { beta }) => tokenMeanNll(scores).add(oddsRatioLoss(scores), beta),
});

/** -log p_c / n_c + b odds ratio loss */
export const orpoByAnswer = definePaired({
  name: 'orpo_by_answer',
  needsReference: false,
  loss: (scores, { beta }) =>
    perToken(scores.policyChosen, scores.tokensChosen).neg().add(oddsRatioLoss(scores), beta),
});
