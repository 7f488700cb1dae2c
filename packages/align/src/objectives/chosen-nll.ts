// Negative log-likelihood of the chosen answer per token, as a term added to another objective: RPO
// (Pang et al. 2024, arXiv:2404.19733, eq. 1, the second term). It works against likelihood displacement.
import type { PairedObjective } from './paired.ts';

/** -log p(chosen) / n_c */
export const chosenNll: PairedObjective = {
  name: 'chosen_nll',
  needsReference: false,
  loss: (scores) => scores.policyChosen.div(scores.tokensChosen).neg(),
};
