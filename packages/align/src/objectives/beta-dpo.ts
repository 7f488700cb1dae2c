// beta-DPO (Wu et al. 2024, arXiv:2407.08639): beta depends on how far apart the answers are. Pairs
// that the policy already separates widely get a larger beta and so stay closer to the reference;
// pairs with a small margin get a smaller beta. M_0, the typical margin, is a moving mean over
// steps. `beta_dpo` uses one beta per step, from the mean margin of its pairs, which the authors
// found to be better; `beta_dpo_by_pair` uses one per pair. As in the authors' code, margins are
// log-ratios without beta, beta is at least 1e-3 and carries no gradient. Their sampling of pairs
// by a normal weight around M_0 is not included; `--drop-below-margin` is the closest option in
// Keel. d/dd = -b_i s(-b_i d), with b_i the beta of the pair: DPO's gradient, which fades as the
// margin grows.
import type { Tensor } from '@keel/torch';
import { z } from 'zod';
import {
  definePaired,
  type ExtraScores,
  logRatioMargin,
  objectiveOption,
  type PairedScores,
} from './paired.ts';

const LEAST_BETA = 1e-3;

const betaAlpha = objectiveOption(
  z.number().min(0).default(0.6),
  'beta_dpo, beta_dpo_by_pair: how strongly beta follows the margin; 0: not at all',
  'alpha',
);

const running = { betaMargin: (scores: PairedScores) => logRatioMargin(scores) };
const momenta = { betaMargin: 0.9 };

/** DPO with beta b (1 + a (of - M_0)), where `of` gives the margins or their mean. */
function atBetaOf(
  of: (margin: Tensor) => Tensor,
  scores: PairedScores & Pick<ExtraScores, 'running'>,
  { beta, betaAlpha: alpha }: { beta: number; betaAlpha: number },
): Tensor {
  const margin = logRatioMargin(scores); // [P]
  const usual = scores.running.betaMargin ?? 0;
  // [] or [P]
  const used = of(margin.detach()).sub(usual).mul(alpha).add(1).mul(beta).clamp(LEAST_BETA);
  return margin.mul(used).logSigmoid().neg();
}

/** -log s(b' d), b' = b (1 + a (mean of d over the step - M_0)) */
export const betaDpo = definePaired({
  name: 'beta_dpo',
  needsReference: true,
  coupled: true,
  needs: ['running'],
  ...{ running, momenta },
  options: { betaAlpha },
  loss: (scores, options) => atBetaOf((margin) => margin.mean(), scores, options),
});

/** -log s(b_i d), b_i = b (1 + a (d - M_0)) */
export const betaDpoByPair = definePaired({
  name: 'beta_dpo_by_pair',
  needsReference: true,
  needs: ['running'],
  ...{ running, momenta },
  options: { betaAlpha },
  loss: (scores, options) => atBetaOf((margin) => margin, scores, options),
});
