// IPO (Azar et al. 2023, arXiv:2310.12036, eq. 17). The paper's log-ratios are of whole answers (`ipo`);
// TRL's `ipo` divides each by its number of tokens first, which here is `ipo_averaged`.
import { logRatioMargin, type PairedObjective } from './paired.ts';

/** (d - 1/2b)^2 */
export const ipo: PairedObjective = {
  name: 'ipo',
  needsReference: true,
  loss: (scores, { beta }) =>
    logRatioMargin(scores)
      .sub(1 / (2 * beta))
      .square(),
};

/** (c/n_c - r/n_r - 1/2b)^2 */
export const ipoAveraged: PairedObjective = {
  name: 'ipo_averaged',
  needsReference: true,
  loss(scores, { beta }) {
    const chosen = scores.policyChosen.sub(scores.referenceChosen).div(scores.tokensChosen);
    const rejected = scores.policyRejected.sub(scores.referenceRejected).div(scores.tokensRejected);
    return chosen
      .sub(rejected)
      .sub(1 / (2 * beta))
      .square();
  },
};
