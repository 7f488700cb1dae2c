// APO (D'Oosterlinck et al. 2024, arXiv:2408.06266, eq. 7 and 8); The same as TRL's `apo_zero` and
// `apo_down`. `apo_zero` raises chosen and lowers rejected: for chosen answers better than the
// model's own. `apo_down` lowers both, rejected more: for chosen answers worse than the model's
// own. Both gradients have s(x) s(-x): they fade on both sides.
import { chosenLogRatio, definePaired, logRatioMargin, rejectedLogRatio } from './paired.ts';

/** 1 - s(b c) + s(b r) */
export const apoZero = definePaired({
  name: 'apo_zero',
  needsReference: true,
  softLabels: true,
  loss(scores, { beta }) {
    const chosen = chosenLogRatio(scores).mul(-beta).sigmoid(); // [P]
    return rejectedLogRatio(scores).mul(beta).sigmoid().add(chosen);
  },
});

/** s(b c) + 1 - s(b d) */
export const apoDown = definePaired({
  name: 'apo_down',
  needsReference: true,
  softLabels: true,
  loss(scores, { beta }) {
    const chosen = chosenLogRatio(scores).mul(beta).sigmoid(); // [P]
    return logRatioMargin(scores).mul(-beta).sigmoid().add(chosen);
  },
});
