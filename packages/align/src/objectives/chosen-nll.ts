// Negative log-likelihood of the chosen answer per token, as a term added to another objective: RPO
// (Pang et al. 2024, arXiv:2404.19733, eq. 1, the second term). It works against likelihood displacement.
import { definePaired, perToken } from './paired.ts';

/** -log p(chosen) / n_c */
export const chosenNll = definePaired({
  name: 'chosen_nll',
  needsReference: false,
  beta: null,
  loss: (scores) => perToken(scores.policyChosen, scores.tokensChosen).neg(),
});
