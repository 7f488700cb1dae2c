// DNO (Rosset et al. 2024, arXiv:2404.03715, algorithm 1, eq. 8): cross-entropy fits the margin to
// the judge's confidence instead of to a hard label. The gradient is -b (s(gap) - s(b d)): it is 0
// when b d equals the gap. The paper's practical DNO-Prct is iterated DPO (`sigmoid`) on fresh
// pairs with a wide gap.
import { definePaired, logRatioMargin } from './paired.ts';

/** -s(gap) log s(b d) - s(-gap) log s(-b d) */
export const dno = definePaired({
  name: 'dno',
  needsReference: true,
  needs: ['scoreGap'],
  loss(scores, { beta }) {
    const logit = logRatioMargin(scores).mul(beta); // [P]
    const sure = scores.scoreGap.sigmoid();
    const unsure = scores.scoreGap.neg().sigmoid();
    return sure.mul(logit.logSigmoid()).add(unsure.mul(logit.neg().logSigmoid())).neg();
  },
});
