// CPO (Xu et al. 2024, arXiv:2401.08417, eq. 3 and 5): DPO with a uniform reference, plus the
// chosen answer's likelihood. The paper's likelihood term sums over whole answers: `cpo_summed`.
// Its authors' code and TRL use the mean over all chosen tokens of the batch: `cpo`, here over the
// whole optimizer step. Label smoothing is TRL's. Without a reference, the first term pushes both
// answers down where they share tokens; the second keeps chosen up.
import type { Tensor } from '@keel/torch';
import { z } from 'zod';
import {
  definePaired,
  labelSmoothing,
  objectiveOption,
  type PairedScores,
  smoothedLogistic,
} from './paired.ts';
import { tokenMeanNll } from './token-mean-nll.ts';

const options = {
  labelSmoothing,
  cpoAlpha: objectiveOption(
    z.number().min(0).default(1),
    "cpo, cpo_summed: weight of the chosen answer's likelihood",
    'alpha',
  ),
};

const preference = (scores: PairedScores, beta: number, smoothing: number): Tensor =>
  smoothedLogistic(scores.policyChosen.sub(scores.policyRejected).mul(beta), smoothing);

/** -log s(b (log p_c - log p_r)) - alpha log p_c / mean n_c */
export const cpo = definePaired({
  name: 'cpo',
  needsReference: false,
  options,
  loss: (scores, { beta, labelSmoothing: smoothing = 0, cpoAlpha }) =>
    preference(scores, beta, smoothing).add(tokenMeanNll(scores), cpoAlpha),
});

/** -log s(b (log p_c - log p_r)) - alpha log p_c */
export const cpoSummed = definePaired({
  name: 'cpo_summed',
  needsReference: false,
  options,
  loss: (scores, { beta, labelSmoothing: smoothing = 0, cpoAlpha }) =>
    preference(scores, beta, smoothing).add(scores.policyChosen, -cpoAlpha),
});
