import type { LanguageModel } from '@keel/model';
import {
  fromTypedArray,
  ops,
  type Recomputation,
  type Steps,
  type Tensor,
  zeros,
} from '@keel/torch';
import type { PackedAnswers } from '../batching/pack-answers.ts';

/** A model's log-probabilities of the answers of a batch. */
export interface AnswerLogprobs {
  /** [A]: log p(answer | prompt), summed over scored tokens */
  sums: Tensor;
  /** Sum over the batch's scored tokens, for metrics. */
  entropySum: Tensor;
}

/** Scores a packed batch in the active role, with a pause after every block of the decoder. */
export function* scoreAnswersSteps(
  model: LanguageModel,
  { packed, scored, sequences, counts }: PackedAnswers,
  training: boolean,
  recomputation: Recomputation | null = null,
): Steps<AnswerLogprobs> {
  const options = { training, recomputation };
  const { logprobs, entropy } = yield* model.scoreTokensSteps(packed, scored, options);
  const index = fromTypedArray(sequences).to({ dtype: 'int64', device: model.device }); // [N]
  const blank = zeros([counts.length], { dtype: logprobs.dtype, device: model.device });
  return {
    sums: ops.indexAdd(blank, 0, index, logprobs),
    entropySum: entropy.detach().sum(),
  };
}
