// exp of a log-ratio that can be of any size. exp(1000) is infinite, and infinity times an
// advantage of 0 is NaN. Other libraries clamp the exponent (verl, OpenRLHF, slime at 10 or 20),
// which removes the gradient, or flips its sign (k3), exactly where it matters most. Here exp
// continues along its tangent: finite, increasing, and always with a gradient.
import type { Tensor } from '@keel/torch';

/** Up to here the function is exp itself; e^20 = 4.9e8. */
export const largestExponent = 20;

/**
 * exp(x) up to 20, e^20 (1 + x - 20) beyond. NaN stays NaN, so that the loss's own check detects
 * it.
 */
export const boundedExp = (exponent: Tensor): Tensor =>
  exponent.clamp(null, largestExponent).exp().mul(exponent.sub(largestExponent).relu().add(1));
