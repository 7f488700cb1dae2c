// SLiC's hinge on log-ratios, as RSO puts it (Liu et al. 2023, arXiv:2309.06657, eq. 10) and TRL's
// `hinge`.
// `slic` is SLiC-HF's own, without a reference. The gradient is -b or, where b d > 1, none: such
// pairs teach nothing more.
import { definePaired, logRatioMargin } from './paired.ts';

/** max(0, 1 - b d) */
export const hinge = definePaired({
  name: 'hinge',
  needsReference: true,
  loss: (scores, { beta }) => logRatioMargin(scores).mul(-beta).add(1).relu(),
});
