// DPO-Positive (Pal et al. 2024, arXiv:2402.13228, eq. 3): DPO with a penalty when chosen falls
// below the reference. The gradient on chosen is then (1 + lambda) times DPO's, so that chosen is
// not pushed down together with rejected.
import { z } from 'zod';
import { chosenLogRatio, definePaired, logRatioMargin, objectiveOption } from './paired.ts';

/** -log s(b (d - lambda max(0, -c))) */
export const dpop = definePaired({
  name: 'dpop',
  needsReference: true,
  beta: 0.3,
  options: {
    dpopLambda: objectiveOption(
      z.number().min(0).default(50),
      'dpop: weight of the penalty if the chosen answer is less likely than under the reference; 0: DPO',
      'lambda',
    ),
  },
  loss(scores, { beta, dpopLambda }) {
    const fallen = chosenLogRatio(scores).neg().relu(); // [P]
    return logRatioMargin(scores).sub(fallen.mul(dpopLambda)).mul(beta).logSigmoid().neg();
  },
});
