import type { Metrics } from '../../training/training-task.ts';

/**
 * Sums over the scored tokens of a step or an evaluation; `metrics` divides them, so that passes of
 * any size weigh right.
 */
export class SupervisedTotals {
  #loss = 0;
  #entropy = 0;
  #hits = 0;
  /** Scored tokens added. */
  scored = 0;
  /** All tokens, as TRL counts them. */
  tokens = 0;

  /** @param sums over the pass's scored tokens: loss, entropy, and how many were predicted */
  add(sums: { loss: number; entropy: number; hits: number }, scored: number, tokens: number): void {
    this.#loss += sums.loss;
    this.#entropy += sums.entropy;
    this.#hits += sums.hits;
    this.scored += scored;
    this.tokens += tokens;
  }

  /**
   * Under TRL's names, and perplexity, the exponential of the loss. Without a token, everything is
   * NaN.
   */
  metrics(): Metrics {
    const loss = this.#loss / this.scored;
    return {
      loss,
      perplexity: Math.exp(loss),
      mean_token_accuracy: this.#hits / this.scored,
      entropy: this.#entropy / this.scored,
    };
  }
}
