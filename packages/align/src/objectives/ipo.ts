// IPO (Azar et al. 2023, arXiv:2310.12036, eq. 17). The paper uses log-ratios of whole answers
// (`ipo`); TRL's `ipo` first divides each by its number of tokens, which is `ipo_averaged` here.
// The gradient is linear in the margin's distance from 1/2b: it never saturates, and larger margins
// are pulled back.
import {
  chosenLogRatio,
  definePaired,
  logRatioMargin,
  perToken,
  rejectedLogRatio,
} from './paired.ts';

/** (d - 1/2b)^2 */
export const ipo = definePaired({
  name: 'ipo',
  needsReference: true,
  softLabels: true,
  loss: (scores, { beta }) =>
    logRatioMargin(scores)
      .sub(1 / (2 * beta))
      .square(),
});

/** (c/n_c - r/n_r - 1/2b)^2 */
export const ipoAveraged = definePaired({
  name: 'ipo_averaged',
  needsReference: true,
  softLabels: true,
  loss(scores, { beta }) {
    const chosen = perToken(chosenLogRatio(scores), scores.tokensChosen);
    const rejected = perToken(rejectedLogRatio(scores), scores.tokensRejected);
    return chosen
      .sub(rejected)
      .sub(1 / (2 * beta))
      .square();
  },
});
