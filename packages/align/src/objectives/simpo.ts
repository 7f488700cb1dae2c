// SimPO (Meng et al. 2024, arXiv:2405.14734, eq. 6): mean log-probabilities as rewards, without a
// reference. Only a small learning rate keeps the policy in place; short answers cannot win by
// being short. As in the paper and TRL (`simpo_gamma`), gamma is subtracted from beta times the
// margin; the authors' code uses gamma/beta.
import { z } from 'zod';
import { definePaired, objectiveOption, perToken, UNHELD_RATE } from './paired.ts';

/** Shared with AlphaPO, which is SimPO with another reward. */
export const simpoGamma = objectiveOption(
  z.number().min(0).default(1),
  'simpo, alphapo: target margin of the chosen over the rejected reward',
  'gamma',
);

/** -log s(b (log p_c/n_c - log p_r/n_r) - gamma) */
export const simpo = definePaired({
  name: 'simpo',
  needsReference: false,
  softLabels: true,
  beta: 2,
  loraRate: UNHELD_RATE,
  options: { simpoGamma },
  loss(scores, { beta, simpoGamma: gamma }) {
    const chosen = perToken(scores.policyChosen, scores.tokensChosen); // [P]
    const rejected = perToken(scores.policyRejected, scores.tokensRejected);
    return chosen.sub(rejected).mul(beta).sub(gamma).logSigmoid().neg();
  },
});
