// NCA for pairs (Chen et al. 2024, arXiv:2402.05369, eq. 14 with K = 2); the same as TRL's
// `nca_pair`. Unlike DPO, it uses each answer's own log-ratio: the gradient on chosen is -b (s(-b
// c) - s(b c)/2), which raises its likelihood until s(b c) = 2/3.
import { chosenLogRatio, definePaired, rejectedLogRatio } from './paired.ts';

/** -log s(b c) - log s(-b c)/2 - log s(-b r)/2 */
export const ncaPair = definePaired({
  name: 'nca_pair',
  needsReference: true,
  softLabels: true,
  beta: 0.01,
  loss(scores, { beta }) {
    const chosen = chosenLogRatio(scores).mul(beta); // [P]
    const rejected = rejectedLogRatio(scores).mul(beta);
    const noise = chosen.neg().logSigmoid().add(rejected.neg().logSigmoid()).div(2);
    return chosen.logSigmoid().add(noise).neg();
  },
});
