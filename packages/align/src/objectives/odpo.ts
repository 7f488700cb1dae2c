// ODPO (Amini et al. 2024, arXiv:2402.10571, eq. 8): the margin must exceed an offset that grows
// with the judge's score gap. The gradient is DPO's at b d - offset: close pairs stop early, clear
// ones late.
import { z } from 'zod';
import { definePaired, logRatioMargin, objectiveOption } from './paired.ts';

/** -log s(b d - alpha f(gap)), with f(gap) = log(gap) or gap */
export const odpo = definePaired({
  name: 'odpo',
  needsReference: true,
  needs: ['scoreGap'],
  options: {
    odpoAlpha: objectiveOption(
      z.number().min(0).default(1),
      'odpo: weight of the offset; 0: DPO',
      'alpha',
    ),
    odpoScaling: objectiveOption(
      z.enum(['log', 'identity']).default('log'),
      'odpo: scaling of the score gap',
      'name',
    ),
  },
  refuseGap: (gap, { odpoScaling }) =>
    odpoScaling === 'identity' || gap > 0
      ? null
      : 'a chosen answer that is scored above the rejected one, because odpo takes the logarithm of the difference',
  loss(scores, { beta, odpoAlpha, odpoScaling }) {
    const { scoreGap } = scores;
    const offset = (odpoScaling === 'log' ? scoreGap.log() : scoreGap).mul(odpoAlpha); // [P]
    return logRatioMargin(scores).mul(beta).sub(offset).logSigmoid().neg();
  },
});
