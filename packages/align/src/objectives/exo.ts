// EXO for pairs (Ji et al. 2024, arXiv:2402.00856, eq. 16): the reverse KL from the policy's
// preference to the smoothed labels, where DPO uses the forward KL. The paper's smoothing e must be
// above 0, because the loss contains log e: `exo`, as in TRL 1.13, which refuses 0. Earlier
// versions replaced 0 by 1e-3: `exo_pair`, which raises any smaller value to 1e-3. d/dx = s(x)
// s(-x) (x - log((1 - e)/e)), x = b d: it fades on both sides, so badly wrong pairs are hardly
// corrected.
import type { Tensor } from '@keel/torch';
import { z } from 'zod';
import { definePaired, labelSmoothing, logRatioMargin, objectiveOption } from './paired.ts';

/** s(x) log(s(x)/(1 - e)) + s(-x) log(s(-x)/e), [P] */
function reverseKl(logit: Tensor, smoothing: number): Tensor {
  const right = logit.logSigmoid().sub(Math.log1p(-smoothing)).mul(logit.sigmoid());
  const opposite = logit.neg();
  return opposite.logSigmoid().sub(Math.log(smoothing)).mul(opposite.sigmoid()).add(right);
}

const leastSmoothing = 1e-3;

/** With max(e, 1e-3) */
export const exoPair = definePaired({
  name: 'exo_pair',
  needsReference: true,
  softLabels: true,
  options: { labelSmoothing },
  loss: (scores, { beta, labelSmoothing: smoothing = 0 }) =>
    reverseKl(logRatioMargin(scores).mul(beta), Math.max(smoothing, leastSmoothing)),
});

/** The paper's loss, with e as given */
export const exo = definePaired({
  name: 'exo',
  needsReference: true,
  softLabels: true,
  options: {
    labelSmoothing: objectiveOption(
      z
        .number()
        .gt(0, { error: 'above 0 for exo: its loss contains its logarithm' })
        .max(0.5)
        .default(leastSmoothing),
      'label smoothing',
      'share',
    ),
  },
  loss: (scores, { beta, labelSmoothing: smoothing }) =>
    reverseKl(logRatioMargin(scores).mul(beta), smoothing),
});
