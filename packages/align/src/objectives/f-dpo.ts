// f-DPO (Wang et al. 2023, arXiv:2309.16240, eq. 9): DPO for divergences from the reference other
// than the reverse KL; u = policy/reference. Constants cancel in the difference, so f' omits them.
// The reverse KL is DPO. Alpha is the paper's; TRL's `f_alpha_divergence_coef` is 1 - alpha. exp is
// capped at 80: beyond that the loss keeps its sign and has no gradient.
import type { Tensor } from '@keel/torch';
import { z } from 'zod';
import { chosenLogRatio, definePaired, objectiveOption, rejectedLogRatio } from './paired.ts';

const largestExponent = 80;

type Derivative = (logRatio: Tensor, alpha: number) => Tensor;

/** f'(u) as a function of log u, up to constants */
const derivatives = {
  reverse_kl: (logRatio) => logRatio,
  forward_kl: (logRatio) => logRatio.neg().clamp(null, largestExponent).exp().neg(),
  js_divergence: (logRatio) => logRatio.logSigmoid(),
  alpha_divergence: (logRatio, alpha) =>
    logRatio.mul(-alpha).clamp(null, largestExponent).exp().div(-alpha),
} satisfies Record<string, Derivative>;

const names = Object.keys(derivatives) as [keyof typeof derivatives];

/** -log s(b f'(u_c) - b f'(u_r)) */
export const fDpo = definePaired({
  name: 'f_dpo',
  needsReference: true,
  softLabels: true,
  options: {
    fDivergenceType: objectiveOption(
      z.enum(names).default('reverse_kl'),
      'f_dpo: divergence from the reference',
      'name',
    ),
    fAlpha: objectiveOption(
      z.number().gt(0).lt(1, { error: 'below 1: 1 is forward_kl' }).default(0.5),
      'f_dpo: alpha of the alpha divergence, between reverse (0) and forward KL (1)',
      'alpha',
    ),
  },
  loss(scores, { beta, fDivergenceType, fAlpha }) {
    const derivative: Derivative = derivatives[fDivergenceType];
    const chosen = derivative(chosenLogRatio(scores), fAlpha); // [P]
    const rejected = derivative(rejectedLogRatio(scores), fAlpha);
    return chosen.sub(rejected).mul(beta).logSigmoid().neg();
  },
});
