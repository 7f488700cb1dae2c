// R-DPO (Park et al. 2024, arXiv:2403.19159, eq. 9). The paper subtracts alpha n from an answer's
// reward, so that r = b log-ratio + alpha n: `rdpo` adds the length difference to the margin, and
// pairs with a longer chosen answer count less. `rdpo_offset` subtracts it: a longer chosen answer
// must be preferred by a wider margin, as with ODPO's offset, and such pairs count more.
import type { Tensor } from '@keel/torch';
import { z } from 'zod';
import { definePaired, logRatioMargin, objectiveOption, type PairedScores } from './paired.ts';

const options = {
  rdpoAlpha: objectiveOption(
    z.number().min(0).default(0.01),
    'rdpo, rdpo_offset: weight per token of length difference; 0: DPO',
    'alpha',
  ),
};

const lengthDifference = ({ tokensChosen, tokensRejected }: PairedScores): Tensor =>
  tokensChosen.sub(tokensRejected);

/** -log s(b d + alpha (n_c - n_r)) */
export const rdpo = definePaired({
  name: 'rdpo',
  needsReference: true,
  softLabels: true,
  options,
  loss: (scores, { beta, rdpoAlpha }) =>
    logRatioMargin(scores).mul(beta).add(lengthDifference(scores), rdpoAlpha).logSigmoid().neg(),
});

/** -log s(b d - alpha (n_c - n_r)) */
export const rdpoOffset = definePaired({
  name: 'rdpo_offset',
  needsReference: true,
  softLabels: true,
  options,
  loss: (scores, { beta, rdpoAlpha }) =>
    logRatioMargin(scores).mul(beta).add(lengthDifference(scores), -rdpoAlpha).logSigmoid().neg(),
});
