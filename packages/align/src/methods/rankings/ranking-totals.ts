import { tiesAsHalf } from '../../training/tied-pairs.ts';
import type { Metrics } from '../../training/training-task.ts';

/** Numbers of one ranking's answers, the best first. */
export interface RankingNumbers {
  policy: readonly number[];
  reference: readonly number[];
  ranks: readonly number[];
}

/** Numbers of a pass. */
export interface PassNumbers {
  rankings: readonly RankingNumbers[];
  /** Sum of the losses. */
  loss: number;
  /** Summed over scored tokens. */
  entropy: number;
  scored: number;
  tokens: number;
}

/**
 * Sums over the passes of a step or an evaluation. Chosen is a ranking's best answer, rejected
 * its worst.
 */
export class RankingTotals {
  readonly #beta: number;
  #rankings = 0;
  #answers = 0;
  #loss = 0;
  #best = { reward: 0, logps: 0 };
  #worst = { reward: 0, logps: 0 };
  #pairs = { right: 0, tied: 0, all: 0 };
  #firsts = 0;
  #entropy = 0;
  #scored = 0;
  /** Tokens of prompts and answers, every prompt with each of its answers. */
  tokens = 0;

  constructor(beta: number) {
    this.#beta = beta;
  }

  add({ rankings, ...sums }: PassNumbers): void {
    for (const { policy, reference, ranks } of rankings) {
      const rewards = policy.map((one, at) => this.#beta * (one - reference[at]!));
      this.#best.reward += rewards[0]!;
      this.#best.logps += policy[0]!;
      this.#worst.reward += rewards.at(-1)!;
      this.#worst.logps += policy.at(-1)!;
      if (ranks[rewards.indexOf(Math.max(...rewards))] === ranks[0]) this.#firsts += 1;
      for (const [better, rank] of ranks.entries()) {
        for (let worse = better + 1; worse < ranks.length; worse++) {
          if (ranks[worse] === rank) continue;
          this.#pairs.all += 1;
          const lead = rewards[better]! - rewards[worse]!;
          if (lead > 0) this.#pairs.right += 1;
          else if (lead === 0) this.#pairs.tied += 1;
        }
      }
      this.#answers += ranks.length;
    }
    this.#rankings += rankings.length;
    this.#loss += sums.loss;
    this.#entropy += sums.entropy;
    this.#scored += sums.scored;
    this.tokens += sums.tokens;
  }

  /**
   * Under TRL's names where it has one. The accuracy is over all pairs of a ranking but ties.
   */
  metrics(): Metrics {
    const rankings = this.#rankings;
    return {
      loss: this.#loss / rankings,
      'rewards/chosen': this.#best.reward / rankings,
      'rewards/rejected': this.#worst.reward / rankings,
      'rewards/accuracies': this.#pairs.right / this.#pairs.all,
      ...(this.#pairs.tied > 0 && { 'rewards/ties': this.#pairs.tied / this.#pairs.all }),
      'rewards/best_first': this.#firsts / rankings,
      'rewards/margins': (this.#best.reward - this.#worst.reward) / rankings,
      'logps/chosen': this.#best.logps / rankings,
      'logps/rejected': this.#worst.logps / rankings,
      entropy: this.#entropy / this.#scored,
      answers_per_ranking: this.#answers / rankings,
    };
  }
  /** Of held-out rankings: pairs of equal rewards count half. */
  heldOutMetrics(): Metrics {
    return tiesAsHalf(this.metrics(), this.#pairs.all);
  }
}
