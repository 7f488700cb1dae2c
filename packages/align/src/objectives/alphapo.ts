// AlphaPO (Gupta et al. 2025, arXiv:2501.03884): SimPO whose reward is a power of an answer's
// likelihood per token instead of its logarithm; at alpha = 0 it is SimPO. The same as TRL's
// `alphapo`, whose alpha defaults to 0 and whose gamma is `simpo_gamma`. With alpha above 0, an
// answer's gradient grows as it becomes unlikely and fades as it becomes likely: a falling rejected
// answer is pushed further, and a likely chosen one is left alone. Below 0 the effect is reversed.
// Either way the gradient fades as the lead grows. Exponents are capped at 80, which a mean of -320
// nats per token reaches at the default: beyond that there is no gradient and no overflow.
import type { Tensor } from '@keel/torch';
import { z } from 'zod';
import { definePaired, objectiveOption, perToken, UNHELD_RATE } from './paired.ts';
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
  softLabels: true,
  beta: 2,
  loraRate: UNHELD_RATE,
  options: {
    alphapoAlpha: objectiveOption(
      z.number().default(0.25),
      "alphapo: shape of the reward; 0 gives SimPO's logarithm",
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
