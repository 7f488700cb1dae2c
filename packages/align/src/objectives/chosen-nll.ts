// Negative log-likelihood of the chosen answer, as a term added to another objective to prevent
// likelihood displacement. RPO (Pang et al. 2024, arXiv:2404.19733, eq. 1, the second term) uses
// the mean over an answer's tokens: `chosen_nll`. TRL's `sft` uses the mean over all chosen tokens
// of the batch, so that long answers count more: `chosen_nll_by_token`, here over the whole
// optimizer step. The gradient never saturates.
import { definePaired, perToken } from './paired.ts';
import { tokenMeanNll } from './token-mean-nll.ts';

/** -log p(chosen) / n_c */
export const chosenNll = definePaired({
  name: 'chosen_nll',
  needsReference: false,
  beta: null,
  loss: (scores) => perToken(scores.policyChosen, scores.tokensChosen).neg(),
});

/** -log p(chosen) / mean n_c */
export const chosenNllByToken = definePaired({
  name: 'chosen_nll_by_token',
  needsReference: false,
  beta: null,
  loss: tokenMeanNll,
});
