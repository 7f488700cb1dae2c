import type { Tensor } from '@keel/torch';
import type { PairedScores } from './paired.ts';

/**
 * A pair's share in the mean negative log-likelihood of the step's chosen tokens, [P]: its mean
 * over pairs is the mean over tokens, however the step is cut into passes.
 */
export const tokenMeanNll = ({
  policyChosen,
  tokensChosen,
  meanTokensChosen,
}: PairedScores): Tensor =>
  policyChosen.neg().div(Math.max(1e-9, meanTokensChosen ?? tokensChosen.mean().item()));
