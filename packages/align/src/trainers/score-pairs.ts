import type { LanguageModel } from '@keel/model';
import {
  atOnce,
  fromTypedArray,
  ops,
  type Recomputation,
  type Steps,
  type Tensor,
  zeros,
} from '@keel/torch';
import type { PackedPairs } from '../batching/pack-pairs.ts';

/** What a model says of the pairs of a batch. */
export interface PairLogprobs {
  /** [2P]: log p(answer | prompt), summed over scored tokens, chosen and rejected in turn */
  sums: Tensor;
  /** Sums over the batch's scored tokens, for metrics. */
  entropySum: Tensor;
  /** Correctly predicted tokens of the chosen answers. */
  chosenHits: Tensor;
}

/**
 * Scores a packed batch in the role that is on.
 * @param recomputation where given, the blocks are computed again in its backward
 */
export function scorePairs(
  model: LanguageModel,
  batch: PackedPairs,
  training: boolean,
  recomputation: Recomputation | null = null,
): PairLogprobs {
  return atOnce(scorePairsSteps(model, batch, training, recomputation));
}

/** As {@link scorePairs}, with a pause after every block of the decoder. */
export function* scorePairsSteps(
  model: LanguageModel,
  batch: PackedPairs,
  training: boolean,
  recomputation: Recomputation | null = null,
): Steps<PairLogprobs> {
  const options = { training, recomputation };
  const { logprobs, entropy, argmax } = yield* model.scoreTokensSteps(
    batch.packed,
    batch.scored,
    options,
  );
  const place = { dtype: 'int64', device: model.device } as const;
  const sequences = fromTypedArray(batch.sequences).to(place); // [N]
  const blank = zeros([2 * batch.pairs], { dtype: logprobs.dtype, device: model.device });
  const sums = ops.indexAdd(blank, 0, sequences, logprobs); // [2P]
  const hits = argmax.eq(fromTypedArray(batch.scored.targets).to(place)); // [N]
  const ofChosen = ops.remainderScalar(sequences, 2).eq(0); // [N]
  return {
    sums,
    entropySum: entropy.detach().sum(),
    chosenHits: ops.logicalAnd(hits, ofChosen).sum(),
  };
}
