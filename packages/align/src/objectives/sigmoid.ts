// DPO (Rafailov et al. 2023, arXiv:2305.18290, eq. 7) and, with label smoothing, conservative DPO
// (Mitchell 2023, "A note on DPO with noisy preferences", eq. 3). d/dd = -b (s(-b d) - e): without
// smoothing it fades as the margin grows but never vanishes; with smoothing it vanishes at s(b d) =
// 1 - e and changes sign beyond. Only the difference counts, so chosen may fall as long as rejected
// falls faster.
import { definePaired, labelSmoothing, logRatioMargin, smoothedLogistic } from './paired.ts';

/** -(1 - e) log s(b d) - e log s(-b d) */
export const sigmoid = definePaired({
  name: 'sigmoid',
  needsReference: true,
  softLabels: true,
  options: { labelSmoothing },
  loss: (scores, { beta, labelSmoothing: smoothing = 0 }) =>
    smoothedLogistic(logRatioMargin(scores).mul(beta), smoothing),
});
