import type { Metrics } from '../../training/training-task.ts';

/** Sums of the answers of one label. */
class LabelSums {
  count = 0;
  rewards = 0;
  logps = 0;

  metrics(name: 'chosen' | 'rejected'): Metrics {
    if (this.count === 0) return {};
    return {
      [`rewards/${name}`]: this.rewards / this.count,
      [`logps/${name}`]: this.logps / this.count,
    };
  }
}

/** Numbers of one answer. */
export interface AnswerNumbers {
  desirable: boolean;
  policy: number;
  reference: number;
}

/** Numbers of a pass. */
export interface PassNumbers {
  answers: readonly AnswerNumbers[];
  /** Sum of the losses. */
  loss: number;
  /** Summed over scored tokens. */
  entropy: number;
  scored: number;
  tokens: number;
}

/** Sums over the passes of a step or an evaluation. */
export class UnpairedTotals {
  readonly #beta: number;
  readonly #desirable = new LabelSums();
  readonly #undesirable = new LabelSums();
  #loss = 0;
  #entropy = 0;
  #scored = 0;
  #kl = 0;
  #klAnswers = 0;
  /** Tokens of prompts and answers. */
  tokens = 0;

  constructor(beta: number) {
    this.#beta = beta;
  }

  add({ answers, ...sums }: PassNumbers): void {
    for (const { desirable, policy, reference } of answers) {
      const label = desirable ? this.#desirable : this.#undesirable;
      label.count += 1;
      label.rewards += this.#beta * (policy - reference);
      label.logps += policy;
    }
    this.#loss += sums.loss;
    this.#entropy += sums.entropy;
    this.#scored += sums.scored;
    this.tokens += sums.tokens;
  }

  /** Adds the KL estimate that `answers` answers were compared with. */
  addKl(kl: number, answers: number): void {
    this.#kl += kl * answers;
    this.#klAnswers += answers;
  }

  /** Under TRL's names; only of labels that answers had. */
  metrics(): Metrics {
    const [chosen, rejected] = [
      this.#desirable.metrics('chosen'),
      this.#undesirable.metrics('rejected'),
    ];
    const margin = chosen['rewards/chosen']! - rejected['rewards/rejected']!;
    return {
      loss: this.#loss / (this.#desirable.count + this.#undesirable.count),
      ...(this.#klAnswers > 0 ? { kl: this.#kl / this.#klAnswers } : {}),
      ...chosen,
      ...rejected,
      ...(Number.isFinite(margin) ? { 'rewards/margins': margin } : {}),
      entropy: this.#entropy / this.#scored,
    };
  }
}
