// DiscoPOP's log-ratio modulated loss (Lu et al. 2024, arXiv:2406.08414, eq. 5), discovered by a
// language model. TRL's `discopop` is the same, but overflows at very negative margins, where the
// exponential's share is 0. The loss is not convex: it has a local minimum near x = -2.4 tau, where
// pairs may stay wrong.
import { z } from 'zod';
import { definePaired, logRatioMargin, objectiveOption } from './paired.ts';

/** (1 - s(x/tau)) (-log s(x)) + s(x/tau) exp(-x), x = b d */
export const discopop = definePaired({
  name: 'discopop',
  needsReference: true,
  softLabels: true,
  beta: 0.05,
  options: {
    discopopTau: objectiveOption(
      z
        .number()
        .gt(0)
        .lt(1, { error: 'below 1: otherwise the loss is unbounded at negative margins' })
        .default(0.05),
      'discopop: temperature of the transition from the logistic to the exponential loss',
      'tau',
    ),
  },
  loss(scores, { beta, discopopTau }) {
    const logit = logRatioMargin(scores).mul(beta); // [P]
    const modulation = logit.div(discopopTau);
    const logistic = logit.logSigmoid().neg().mul(modulation.neg().sigmoid());
    // Use a single exponent: infinity times 0 is NaN.
    return modulation.logSigmoid().sub(logit).exp().add(logistic);
  },
});
