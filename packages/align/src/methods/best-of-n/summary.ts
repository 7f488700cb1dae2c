// The reward of best-of-n for each n up to the number of samples, and an upper bound of its KL to
// the model.
import { bootstrapMeanInterval, type Interval } from '@keel/statistics';
import { bestOfNKl, expectedBestOfN } from '../../objectives/online/best-of-n.ts';
import type { LeftOutPrompt, SampledPrompt } from './sampled-prompt.ts';

/** A point of the curve of reward against KL. */
export interface BestOfK {
  k: number;
  /** Mean over prompts of the expected reward of the best of k. */
  reward: number;
  /** 95% interval over prompts. */
  interval: Interval;
  /** Upper bound of the KL of best-of-k to the model, in nats per answer. */
  kl: number;
}

export interface BestOfNSummary {
  /** Prompts that were answered. */
  prompts: number;
  /** Prompts that leave no room for an answer. */
  leftOut: number;
  /** Prompts that the chat template refuses. */
  badRows: number;
  /** What is wrong with the first of them; null if there are none. */
  firstFault: string | null;
  answers: number;
  meanTokens: number;
  /** Share of the answers that finished. */
  ended: number;
  /** Share of the prompts whose answers all have the same reward. */
  ties: number;
  /** From 1 to n. */
  curve: BestOfK[];
}

const RESAMPLES = 2000;

/** Accumulates prompts; stores n numbers for each. */
export class BestOfNTally {
  readonly #n: number;
  readonly #expected: number[][];
  #firstFault: string | null = null;
  #sums = {
    prompts: 0,
    leftOut: 0,
    badRows: 0,
    answers: 0,
    tokens: 0,
    ended: 0,
    ties: 0,
    mean: 0,
    best: 0,
  };

  /** @param n samples of each prompt */
  constructor(n: number) {
    this.#n = n;
    this.#expected = Array.from({ length: n }, () => []);
  }

  add({ scores, tokens, ended }: Pick<SampledPrompt, 'scores' | 'tokens' | 'ended'>): void {
    for (let k = 1; k <= this.#n; k++) this.#expected[k - 1]!.push(expectedBestOfN(scores, k));
    const sums = this.#sums;
    sums.prompts += 1;
    sums.mean += this.#expected[0]!.at(-1)!;
    sums.best += this.#expected.at(-1)!.at(-1)!;
    sums.answers += scores.length;
    sums.tokens += tokens.reduce((sum, one) => sum + one, 0);
    sums.ended += ended.filter((one) => one).length;
    if (scores.every((one) => one === scores[0])) sums.ties += 1;
  }

  addLeftOut({ fault }: Pick<LeftOutPrompt, 'fault'>): void {
    if (fault === undefined) this.#sums.leftOut += 1;
    else this.#sums.badRows += 1;
    this.#firstFault ??= fault ?? null;
  }

  /** Mean reward of an answer, and of the best of n; null before the first prompt. */
  get means(): { mean: number; best: number } | null {
    const { prompts, mean, best } = this.#sums;
    return prompts === 0 ? null : { mean: mean / prompts, best: best / prompts };
  }

  summary(): BestOfNSummary {
    const { prompts, leftOut, badRows, answers, tokens, ended, ties } = this.#sums;
    return {
      ...{ prompts, leftOut, badRows, answers },
      firstFault: this.#firstFault,
      meanTokens: answers === 0 ? 0 : tokens / answers,
      ended: answers === 0 ? 0 : ended / answers,
      ties: prompts === 0 ? 0 : ties / prompts,
      curve:
        prompts === 0
          ? []
          : this.#expected.map((values, at) => ({
              k: at + 1,
              reward: meanOf(values),
              interval: bootstrapMeanInterval(values, { resamples: RESAMPLES }),
              kl: bestOfNKl(at + 1),
            })),
    };
  }
}

const meanOf = (values: readonly number[]): number =>
  values.reduce((sum, one) => sum + one, 0) / values.length;
