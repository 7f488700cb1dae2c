// Supervised fine-tuning: the negative log-likelihood of each scored token (InstructGPT, Ouyang et
// al. 2022, arXiv:2203.02155, section 3.5; the next-token loss of Radford et al. 2018, eq. 1).
import type { Tensor } from '@keel/torch';

/**
 * -log p(token | earlier tokens)
 * @param logprobs [N]
 * @returns [N]; the trainer takes the mean over the scored tokens of the whole optimizer step
 */
export const tokenNll = (logprobs: Tensor): Tensor => logprobs.neg();
