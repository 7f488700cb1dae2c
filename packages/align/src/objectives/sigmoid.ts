// DPO (Rafailov et al. 2023, arXiv:2305.18290, eq. 7) and, with label smoothing, conservative DPO
// (Mitchell 2023, "A note on DPO with noisy preferences", eq. 3).
import { logRatioMargin, type PairedObjective } from './paired.ts';

/** -(1 - e) log s(b d) - e log s(-b d) */
export const sigmoid: PairedObjective = {
  name: 'sigmoid',
  needsReference: true,
  loss(scores, { beta, labelSmoothing }) {
    const logit = logRatioMargin(scores).mul(beta); // [P]
    const right = logit.logSigmoid().mul(labelSmoothing - 1);
    return labelSmoothing === 0 ? right : right.sub(logit.neg().logSigmoid().mul(labelSmoothing));
  },
};
