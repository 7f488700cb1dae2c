// Length-normalised DPO (Tulu 3, Lambert et al. 2024, arXiv:2411.15124, eq. 6); the same as TRL's
// `sigmoid_norm`. Margins per token are small, so beta is large: 5 in the paper.
import { chosenLogRatio, definePaired, perToken, rejectedLogRatio } from './paired.ts';

/** -log s(b (c/n_c - r/n_r)) */
export const sigmoidNorm = definePaired({
  name: 'sigmoid_norm',
  needsReference: true,
  softLabels: true,
  beta: 5,
  loss(scores, { beta }) {
    const chosen = perToken(chosenLogRatio(scores), scores.tokensChosen);
    const rejected = perToken(rejectedLogRatio(scores), scores.tokensRejected);
    return chosen.sub(rejected).mul(beta).logSigmoid().neg();
  },
});
