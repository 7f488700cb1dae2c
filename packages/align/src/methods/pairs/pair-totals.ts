import type { Tensor } from '@keel/torch';
import type { PackedPairs } from '../../batching/pack-pairs.ts';
import type { PairedScores, SharedPart } from '../../objectives/paired.ts';
import type { PairLogprobs } from '../../reference/score-pairs.ts';
import type { Metrics } from '../../training/training-task.ts';

/**
 * Sums over the passes of a step or an evaluation; `metrics` divides them, so that passes of any
 * size weigh right.
 */
export class PairTotals {
  readonly #beta: number;
  readonly #withRewards: boolean;
  #pairs = 0;
  #loss = 0;
  #rewardsChosen = 0;
  #rewardsRejected = 0;
  #right = 0;
  #chosen = 0;
  #rejected = 0;
  #entropy = 0;
  #hits = 0;
  #chosenTokens = 0;
  #scoredTokens = 0;
  #dropped: number | null = null;
  /** Tokens as TRL counts them: every prompt for both of its answers. */
  tokens = 0;

  /** @param withRewards false without a reference: rewards are log-ratios to it. */
  constructor(beta: number, withRewards: boolean) {
    this.#beta = beta;
    this.#withRewards = withRewards;
  }

  /** @param scores with `rowBeta` where rows have betas of their own */
  add(
    batch: PackedPairs,
    scores: PairedScores & { rowBeta?: Tensor },
    lossSum: number,
    logprobs: PairLogprobs,
  ): void {
    const read = (name: keyof SharedPart): number[] => scores[name].detach().toArray();
    const [policyChosen, policyRejected] = [read('policyChosen'), read('policyRejected')];
    const [referenceChosen, referenceRejected] = [
      read('referenceChosen'),
      read('referenceRejected'),
    ];
    const betas = scores.rowBeta?.toArray();
    for (let pair = 0; pair < batch.pairs; pair++) {
      const beta = betas?.[pair] ?? this.#beta;
      const chosen = beta * (policyChosen[pair]! - referenceChosen[pair]!);
      const rejected = beta * (policyRejected[pair]! - referenceRejected[pair]!);
      this.#rewardsChosen += chosen;
      this.#rewardsRejected += rejected;
      if (chosen > rejected) this.#right += 1;
      this.#chosen += policyChosen[pair]!;
      this.#rejected += policyRejected[pair]!;
      this.#chosenTokens += batch.counts[2 * pair]!;
    }
    this.#pairs += batch.pairs;
    this.#loss += lossSum;
    this.#entropy += logprobs.entropySum.item();
    this.#hits += logprobs.chosenHits.item();
    this.#scoredTokens += batch.scored.rows.length;
    this.tokens += batch.unsharedTokens;
  }

  /** Pairs that had no gradient. */
  addDropped(pairs: number): void {
    this.#dropped = (this.#dropped ?? 0) + pairs;
  }

  /** Pairs added. */
  get pairs(): number {
    return this.#pairs;
  }

  /**
   * Under TRL's names; those of rewards are there only with a reference. Without a pair, everything
   * is NaN.
   */
  metrics(): Metrics {
    const pairs = this.#pairs;
    const rewards = {
      'rewards/chosen': this.#rewardsChosen / pairs,
      'rewards/rejected': this.#rewardsRejected / pairs,
      'rewards/accuracies': this.#right / pairs,
      'rewards/margins': (this.#rewardsChosen - this.#rewardsRejected) / pairs,
    };
    return {
      loss: this.#loss / pairs,
      ...(this.#withRewards ? rewards : {}),
      'logps/chosen': this.#chosen / pairs,
      'logps/rejected': this.#rejected / pairs,
      entropy: this.#entropy / this.#scoredTokens,
      mean_token_accuracy: this.#hits / this.#chosenTokens,
      ...(this.#dropped === null ? {} : { dropped: this.#dropped / pairs }),
    };
  }
}
