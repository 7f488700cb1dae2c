// Robust DPO (Chowdhury et al. 2024, arXiv:2403.00409, eq. 9): an unbiased estimate of DPO's loss
// on clean labels, given that a share e of the labels is flipped. The same as TRL's `robust`. d/dx
// = s(x) - (1 - e)/(1 - 2e), x = b d: it fades only to -e/(1 - 2e), so margins grow without limit
// and the loss has no lower bound. Limit it with few steps or a small learning rate.
import { z } from 'zod';
import { definePaired, logRatioMargin, objectiveOption } from './paired.ts';

/** [-(1 - e) log s(b d) + e log s(-b d)] / (1 - 2e) */
export const robust = definePaired({
  name: 'robust',
  needsReference: true,
  softLabels: true,
  options: {
    labelSmoothing: objectiveOption(
      z
        .number()
        .min(0)
        .lt(0.5, {
          error:
            'below 0.5 for robust: with half of the labels flipped they carry no information, and the loss would divide by 0',
        })
        .default(0),
      'known share of mislabelled pairs',
      'share',
    ),
  },
  loss(scores, { beta, labelSmoothing: flipped }) {
    const logit = logRatioMargin(scores).mul(beta); // [P]
    const asLabelled = logit.logSigmoid().mul(flipped - 1);
    return asLabelled.add(logit.neg().logSigmoid().mul(flipped)).div(1 - 2 * flipped);
  },
});
