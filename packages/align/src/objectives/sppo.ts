// SPPO with hard labels (Wu et al. 2024, arXiv:2405.00675, eq. 4.7 with P = 1 and 0), with beta =
// 1/eta: each log-ratio is regressed on +-1/2b. The same as TRL's `sppo_hard`. The gradient is
// linear and never saturates; it pulls chosen up independently, so its likelihood does not fall.
import { chosenLogRatio, definePaired, rejectedLogRatio } from './paired.ts';

/** (c - 1/2b)^2 + (r + 1/2b)^2 */
export const sppoHard = definePaired({
  name: 'sppo_hard',
  needsReference: true,
  softLabels: true,
  beta: 0.001,
  loss(scores, { beta }) {
    const target = 1 / (2 * beta);
    const chosen = chosenLogRatio(scores).sub(target).square(); // [P]
    return rejectedLogRatio(scores).add(target).square().add(chosen);
  },
});
