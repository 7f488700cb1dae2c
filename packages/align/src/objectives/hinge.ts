// SLiC's hinge on log-ratios, in the form of RSO (Liu et al. 2023, arXiv:2309.06657, eq. 10) and
// TRL's `hinge`. `slic` is the loss of SLiC-HF, without a reference. The gradient is -b or, if b d
// > 1, zero: such pairs have no further effect.
import { definePaired, logRatioMargin } from './paired.ts';

/** max(0, 1 - b d) */
export const hinge = definePaired({
  name: 'hinge',
  needsReference: true,
  softLabels: true,
  loss: (scores, { beta }) => logRatioMargin(scores).mul(-beta).add(1).relu(),
});
