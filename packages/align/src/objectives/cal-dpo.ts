// Cal-DPO (Xiao et al. 2024, arXiv:2412.14516, eq. 12): DPO on plain log-ratios plus a regression
// of each on +-1/2b, so that implicit rewards have the scale of real ones. The second part keeps
// chosen from falling.
import { definePaired, logRatioMargin } from './paired.ts';
import { sppoHard } from './sppo.ts';

/** -log s(c - r) + (c - 1/2b)^2 + (r + 1/2b)^2 */
export const calDpo = definePaired({
  name: 'cal_dpo',
  needsReference: true,
  softLabels: true,
  beta: 0.001,
  loss: (scores, options) =>
    sppoHard.loss(scores, options).sub(logRatioMargin(scores).logSigmoid()),
});
