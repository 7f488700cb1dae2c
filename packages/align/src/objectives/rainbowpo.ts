// RainbowPO (Zhao et al. 2024, arXiv:2410.04203, section 4): combines the improvements of DPO's
// descendants that helped: length normalisation (SimPO, sigmoid_norm), a reference mixed with a
// margin (alpha = 1 is DPO's, 0 is SimPO's), and contextual scaling (WPO's weight). Each part can
// be turned off. Gamma is SimPO's, not multiplied by beta.
import { z } from 'zod';
import { definePaired, objectiveOption, perToken } from './paired.ts';
import { policyWeight } from './wpo.ts';

/**
 * -w log s(b (p - alpha q) - (1 - alpha) gamma), p and q the policy's and the reference's chosen -
 * rejected
 */
export const rainbowPo = definePaired({
  name: 'rainbowpo',
  needsReference: true,
  softLabels: true,
  beta: 10,
  needs: ['alignment'],
  options: {
    rainbowAlpha: objectiveOption(
      z.number().min(0).max(1).default(0.25),
      'rainbowpo: weight of the reference; the margin has the rest',
      'alpha',
    ),
    rainbowGamma: objectiveOption(
      z.number().min(0).default(0.1),
      'rainbowpo: margin that is mixed with the reference',
      'gamma',
    ),
    rainbowPerToken: objectiveOption(
      z.boolean().default(true),
      'rainbowpo: use mean log-probabilities per token instead of sums',
    ),
    rainbowWeighted: objectiveOption(
      z.boolean().default(true),
      'rainbowpo: weight pairs as WPO does instead of equally',
    ),
  },
  loss(scores, { beta, rainbowAlpha, rainbowGamma, rainbowPerToken, rainbowWeighted }) {
    const { tokensChosen, tokensRejected } = scores;
    const [chosen, rejected] = [
      scores.policyChosen.sub(scores.referenceChosen.mul(rainbowAlpha)),
      scores.policyRejected.sub(scores.referenceRejected.mul(rainbowAlpha)),
    ]; // [P]
    const margin = rainbowPerToken
      ? perToken(chosen, tokensChosen).sub(perToken(rejected, tokensRejected))
      : chosen.sub(rejected);
    const losses = margin
      .mul(beta)
      .sub((1 - rainbowAlpha) * rainbowGamma)
      .logSigmoid()
      .neg();
    return rainbowWeighted ? losses.mul(policyWeight(scores)) : losses;
  },
});
