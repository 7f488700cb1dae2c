// Robust DPO (Chowdhury et al. 2024, arXiv:2403.00409, eq. 9): an unbiased estimate of DPO's loss
// on clean labels, where a share e of the labels is known to be flipped. TRL's `robust` is the
// same.
// d/dx = s(x) - (1 - e)/(1 - 2e), x = b d: it fades to -e/(1 - 2e) and no further, so that margins
// grow without end and the loss has no lower bound; hold it with few steps or a small rate.
import { z } from 'zod';
import { definePaired, logRatioMargin, objectiveOption } from './paired.ts';

/** [-(1 - e) log s(b d) + e log s(-b d)] / (1 - 2e) */
export const robust = definePaired({
  name: 'robust',
  needsReference: true,
  options: {
    labelSmoothing: objectiveOption(
      z
        .number()
        .min(0)
        .lt(0.5, {
          error:
            'below 0.5 for robust: with half of the labels flipped they say nothing, and it would divide by 0',
        })
        .default(0),
      'share of pairs that are known to be labelled the wrong way round',
      'share',
    ),
  },
  loss(scores, { beta, labelSmoothing: flipped }) {
    const logit = logRatioMargin(scores).mul(beta); // [P]
    const asLabelled = logit.logSigmoid().mul(flipped - 1);
    return asLabelled.add(logit.neg().logSigmoid().mul(flipped)).div(1 - 2 * flipped);
  },
});
