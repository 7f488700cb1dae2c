// AlphaPO (Gupta et al. 2025, arXiv:2501.03884): SimPO whose reward is a power of an answer's
// likelihood per token in place of its logarithm; at alpha = 0 it is SimPO. The same as TRL's
// `alphapo`, whose alpha is 0 unless told and whose gamma is `simpo_gamma`. With alpha above 0 an
// answer's gradient grows as it becomes unlikely, and fades as it becomes likely: the rejected
// answer is pushed on once it falls, and a likely chosen one is left where it is. Below 0 it is the
// other way round. Either way all of it fades with the lead. Exponents end at 80, which a mean of
// -320 nats a token has at the default: what is beyond has no gradient, and overflows nowhere.
import type { Tensor } from '@keel/torch';
import { z } from 'zod';
import { definePaired, objectiveOption, perToken } from './paired.ts';
import { simpoGamma } from './simpo.ts';

const LARGEST_EXPONENT = 80;

/** (1 - p^-a) / a with p the likelihood per token; log p at a = 0. [P] */
function shaped(sum: Tensor, tokens: Tensor, alpha: number): Tensor {
  const mean = perToken(sum, tokens); // [P]
  if (alpha === 0) return mean;
  return mean.mul(-alpha).clamp(null, LARGEST_EXPONENT).exp().neg().add(1).div(alpha);
}

/** -log s(b (r_c - r_r) - gamma), r = (1 - p^-a) / a */
export const alphaPo = definePaired({
  name: 'alphapo',
  needsReference: false,
  beta: 2,
  options: {
    alphapoAlpha: objectiveOption(
      z.number().default(0.25),
      "alphapo: shape of the reward; 0: SimPO's logarithm",
      'alpha',
    ),
    simpoGamma,
  },
  loss(scores, { beta, alphapoAlpha: alpha, simpoGamma: gamma }) {
    const chosen = shaped(scores.policyChosen, scores.tokensChosen, alpha);
    const rejected = shaped(scores.policyRejected, scores.tokensRejected, alpha);
    return chosen.sub(rejected).mul(beta).sub(gamma).logSigmoid().neg();
  },
});
