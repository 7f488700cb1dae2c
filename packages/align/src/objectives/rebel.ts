// REBEL (Gao et al. 2024, arXiv:2404.16767, eq. 7): the log-ratio margin is regressed on the
// difference of rewards. It has eta instead of 1/b. The gradient is linear and never saturates; the
// margin converges to eta times the gap.
import { z } from 'zod';
import { definePaired, logRatioMargin, objectiveOption } from './paired.ts';

/** (d/eta - gap)^2 */
export const rebel = definePaired({
  name: 'rebel',
  needsReference: true,
  beta: null,
  needs: ['scoreGap'],
  options: {
    rebelEta: objectiveOption(
      z.number().positive().default(1),
      'rebel: margin per unit of score difference; larger moves further from the reference',
      'eta',
    ),
  },
  loss: (scores, { rebelEta }) =>
    logRatioMargin(scores).div(rebelEta).sub(scores.scoreGap).square(),
});
