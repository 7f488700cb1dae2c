import type { Metrics } from '../../training/training-task.ts';

/** Sums over the scored tokens of a pass. */
export interface TokenSums {
  loss: number;
  entropy: number;
  /** Correctly predicted tokens. */
  hits: number;
}

/**
 * Sums over the scored tokens of a step or an evaluation. Only `metrics` divides them, so every
 * token has the same weight, whatever the passes.
 */
export class SupervisedTotals {
  #loss = 0;
  #entropy = 0;
  #hits = 0;
  #scored = 0;
  /** All tokens, as TRL counts them. */
  tokens = 0;

  add(sums: TokenSums, scored: number, tokens: number): void {
    this.#loss += sums.loss;
    this.#entropy += sums.entropy;
    this.#hits += sums.hits;
    this.#scored += scored;
    this.tokens += tokens;
  }

  /**
   * Under TRL's names; the perplexity is the exponential of the loss. Without a token, everything
   * is NaN.
   */
  metrics(): Metrics {
    const loss = this.#loss / this.#scored;
    return {
      loss,
      perplexity: Math.exp(loss),
      mean_token_accuracy: this.#hits / this.#scored,
      entropy: this.#entropy / this.#scored,
    };
  }
}
