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
import type { PackedPairs } from '../../batching/pack-pairs.ts';
import type { RowScoring } from '../../reference/reference.ts';

/** A model's log-probabilities of the pairs of a batch. */
export interface PairLogprobs {
  /** [2P]: log p(answer | prompt), summed over scored tokens, chosen and rejected in turn */
  sums: Tensor;
  /** Sums over the batch's scored tokens, for metrics. */
  entropySum: Tensor;
  /** Correctly predicted tokens of the chosen answers. */
  chosenHits: Tensor;
  /**
   * [2P]: as `sums`, of each answer's first tokens alone, as many as the pair's shorter answer has
   */
  shared: Tensor | null;
  /**
   * [2P]: mean over an answer's tokens of log(p(token) / sum over v of p(v)^2); without gradient
   */
  alignment: Tensor | null;
}

/** What else a pass over pairs computes. */
export interface PairScoring {
  /** Given when the activations are recomputed in backward. */
  recomputation?: Recomputation | null;
  /** Whether `shared` is computed. */
  shared?: boolean;
  /** Whether `alignment` is computed. */
  alignment?: boolean;
}

/** How the reference scores pairs. */
export const pairScoring = (firstTokens: boolean): RowScoring<PackedPairs> => ({
  answers: 2,
  firstTokens,
  counts: ({ pairs }) => Array.from({ length: pairs }, () => 2),
  score: (model, batch) => scorePairsSteps(model, batch, false, { shared: firstTokens }),
});

/** Scores a packed batch in the role that is on. */
export const scorePairs = (
  model: LanguageModel,
  batch: PackedPairs,
  training: boolean,
  options: PairScoring = {},
): PairLogprobs => atOnce(scorePairsSteps(model, batch, training, options));

/** As {@link scorePairs}, with a pause after every block of the decoder. */
export function* scorePairsSteps(
  model: LanguageModel,
  batch: PackedPairs,
  training: boolean,
  { recomputation = null, shared = false, alignment = false }: PairScoring = {},
): Steps<PairLogprobs> {
  const { logprobs, entropy, argmax, collision } = yield* model.scoreTokensSteps(
    batch.packed,
    batch.scored,
    { training, recomputation, collision: alignment },
  );
  const place = { dtype: 'int64', device: model.device } as const;
  const sequences = fromTypedArray(batch.sequences).to(place); // [N]
  const blank = zeros([2 * batch.pairs], { dtype: logprobs.dtype, device: model.device });
  const byAnswer = (values: Tensor): Tensor => ops.indexAdd(blank, 0, sequences, values); // [2P]
  const hits = argmax.eq(fromTypedArray(batch.scored.targets).to(place)); // [N]
  const ofChosen = ops.remainderScalar(sequences, 2).eq(0); // [N]
  const like = { dtype: logprobs.dtype, device: model.device };
  const counts = fromTypedArray(batch.counts).to(like).clamp(1); // [2P]
  return {
    sums: byAnswer(logprobs),
    entropySum: entropy.detach().sum(),
    chosenHits: ops.logicalAnd(hits, ofChosen).sum(),
    shared: shared ? byAnswer(logprobs.mul(fromTypedArray(sharedTokens(batch)).to(like))) : null,
    alignment: collision ? byAnswer(logprobs.detach().sub(collision)).div(counts) : null,
  };
}

/**
 * [N]: 1 for a scored token among the first of its answer, as many as the pair's shorter one has;
 * else 0
 */
function sharedTokens({ sequences, counts }: PackedPairs): Float32Array {
  const seen = new Int32Array(counts.length);
  // A pair's answers have the numbers 2p and 2p + 1.
  return Float32Array.from(sequences, (answer) => {
    seen[answer]! += 1;
    return seen[answer]! <= Math.min(counts[answer]!, counts[answer ^ 1]!) ? 1 : 0;
  });
}
