import type { PackedPairs } from '../../batching/pack-pairs.ts';
import { likelier } from '../../data/label-probability.ts';
import { tiesAsHalf } from '../../training/tied-pairs.ts';
import type { Metrics } from '../../training/training-task.ts';

/** Numbers of a pass over P pairs. */
export interface PairNumbers {
  /** Sum of the losses. */
  loss: number;
  /** Log-probabilities, [P] each; without a reference, its own are 0. */
  policyChosen: readonly number[];
  policyRejected: readonly number[];
  referenceChosen: readonly number[];
  referenceRejected: readonly number[];
  /** [P]: each pair's beta; null where all have that of the options. */
  betas: readonly number[] | null;
  /** [P]: probability that chosen is the better answer; null where all labels are certain. */
  probabilities: readonly number[] | null;
  /** Summed over scored tokens. */
  entropy: number;
  /** Correctly predicted tokens of the chosen answers. */
  hits: number;
  /** Pairs without gradient; null where none is dropped. */
  dropped: number | null;
}

/**
 * Sums over the passes of a step or an evaluation. Only `metrics` divides them, so every pair has
 * the same weight, whatever the passes. Of a pair with an uncertain label, the more probable answer
 * counts as chosen; a pair whose answers are equally probable is a tie.
 */
export class PairTotals {
  readonly #beta: number;
  readonly #withRewards: boolean;
  #pairs = 0;
  #loss = 0;
  #rewardsChosen = 0;
  #rewardsRejected = 0;
  #right = 0;
  #ties = 0;
  #chosen = 0;
  #rejected = 0;
  #entropy = 0;
  #hits = 0;
  #chosenTokens = 0;
  #scoredTokens = 0;
  #dropped: number | null = null;
  /** Tokens as TRL counts them: every prompt for both of its answers. */
  tokens = 0;

  /** @param withRewards false without a reference: rewards are log-ratios to it */
  constructor(beta: number, withRewards: boolean) {
    this.#beta = beta;
    this.#withRewards = withRewards;
  }

  add(batch: PackedPairs, found: PairNumbers): void {
    const { policyChosen, policyRejected, referenceChosen, referenceRejected } = found;
    for (let pair = 0; pair < batch.pairs; pair++) {
      const beta = found.betas?.[pair] ?? this.#beta;
      const logps = [policyChosen[pair]!, policyRejected[pair]!];
      const rewards = [
        beta * (logps[0]! - referenceChosen[pair]!),
        beta * (logps[1]! - referenceRejected[pair]!),
      ];
      const direction = likelier(found.probabilities?.[pair]);
      const [better, worse] = direction < 0 ? [1, 0] : [0, 1];
      const [chosen, rejected] = [rewards[better]!, rewards[worse]!];
      this.#rewardsChosen += chosen;
      this.#rewardsRejected += rejected;
      if (direction === 0 || chosen === rejected) this.#ties += 1;
      else if (chosen > rejected) this.#right += 1;
      this.#chosen += logps[better]!;
      this.#rejected += logps[worse]!;
      this.#chosenTokens += batch.counts[2 * pair]!;
    }
    this.#pairs += batch.pairs;
    this.#loss += found.loss;
    this.#entropy += found.entropy;
    this.#hits += found.hits;
    this.#scoredTokens += batch.scored.rows.length;
    if (found.dropped !== null) this.#dropped = (this.#dropped ?? 0) + found.dropped;
    this.tokens += batch.unsharedTokens;
  }

  /**
   * Under TRL's names; rewards only with a reference. Without a pair, everything is NaN.
   */
  metrics(): Metrics {
    const pairs = this.#pairs;
    const rewards = {
      'rewards/chosen': this.#rewardsChosen / pairs,
      'rewards/rejected': this.#rewardsRejected / pairs,
      'rewards/accuracies': this.#right / pairs,
      ...(this.#ties > 0 && { 'rewards/ties': this.#ties / pairs }),
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

  /** Of held-out pairs: ties count half. */
  heldOutMetrics(): Metrics {
    return this.#withRewards ? tiesAsHalf(this.metrics(), this.#pairs) : this.metrics();
  }
}
