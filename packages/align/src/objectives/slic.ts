// SLiC-HF (Zhao et al. 2023, arXiv:2305.10425, eq. 4): a margin between log-probabilities, no
// reference. The paper's regulariser, the likelihood of a supervised target, is `--loss
// slic,chosen_nll`. `hinge` is the form on log-ratios. The gradient is -1 or, beyond the margin,
// zero.
import { z } from 'zod';
import { definePaired, objectiveOption, UNHELD_RATE } from './paired.ts';

/** max(0, delta - log p_c + log p_r) */
export const slic = definePaired({
  name: 'slic',
  needsReference: false,
  softLabels: true,
  beta: null,
  loraRate: UNHELD_RATE,
  options: {
    slicDelta: objectiveOption(
      z.number().positive().default(1),
      'slic: target margin of the chosen over the rejected log-probability',
      'delta',
    ),
  },
  loss: (scores, { slicDelta }) =>
    scores.policyRejected.sub(scores.policyChosen).add(slicDelta).relu(),
});
