import {
  expectedCalibrationError,
  hitOf,
  pearson,
  reliabilityBins,
  type ScoredPair,
} from '@keel/statistics';
import type { PackedJudged } from '../../batching/pack-judged.ts';
import type { TokenisedJudged } from '../../batching/tokenise-judged.ts';
import { likelier } from '../../data/label-probability.ts';
import type { Metrics } from '../../training/training-task.ts';
import type { LengthHead } from './length-terms.ts';

/**
 * A better and a worse answer to one prompt; scores by head. With an uncertain label, the more
 * probable answer is the better one.
 */
export interface ScoredComparison {
  better: number[];
  worse: number[];
  /** Tokens of the answers. */
  tokensBetter: number;
  tokensWorse: number;
  /** Probability that the better answer is the better one, from 0.5; absent: it certainly is. */
  probability?: number;
}

/** A step of an answer; scores by head. */
export interface ScoredStep {
  scores: number[];
  right: boolean;
}

/** An answer, or a step of one; scores by head. */
export interface ScoredAnswer {
  scores: number[];
  tokens: number;
  /** That of the length head, where there is one. */
  length?: number;
}

/** The scores of judged rows, without normalisation. */
export interface ScoredRows {
  comparisons: ScoredComparison[];
  steps: ScoredStep[];
  answers: ScoredAnswer[];
}

/** Of scores by head. */
export const meanOf = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/**
 * Pairs with one reward and one length for each answer, as the findings on a reward model take
 * them.
 */
export function scoredPairs(
  { comparisons }: ScoredRows,
  combined: (heads: readonly (readonly number[])[]) => number[],
): ScoredPair[] {
  const column = (name: 'better' | 'worse'): number[] =>
    comparisons.length === 0 ? [] : combined(byHead(comparisons.map((one) => one[name])));
  const [better, worse] = [column('better'), column('worse')];
  return comparisons.map(({ tokensBetter, tokensWorse, probability }, index) => ({
    chosen: { score: better[index]!, length: tokensBetter },
    rejected: { score: worse[index]!, length: tokensWorse },
    ...(probability !== undefined && { probability }),
  }));
}

/** 0 if both answers are equally probable, so that neither is right; otherwise 1. */
const decided = ({ probability }: ScoredComparison): number => Math.abs(likelier(probability));

/** [N][K] to [K][N] */
export const byHead = (scores: readonly (readonly number[])[]): number[][] =>
  (scores[0] ?? []).map((_, head) => scores.map((own) => own[head]!));

/** Numbers of a pass. */
export interface PassNumbers {
  /** Summed over items (pairs, rankings and steps), the mean of the heads. */
  rewardLoss: number;
  items: number;
  /** Summed over the tokens of the language-model term; null without one. */
  nll: number | null;
  /** [R * K], row by row */
  scores: readonly number[];
  /** Of a model with a length head. */
  length?: {
    /** [R] of the length head */
    scores: readonly number[];
    /** Absolute cosine between the weights of both heads. */
    overlap: number;
  };
}

/** Sums over the passes of a step or an evaluation, and every score in them. */
export class RewardTotals {
  readonly scored: ScoredRows = { comparisons: [], steps: [], answers: [] };
  readonly #lmWeight: number;
  readonly #lengthHead: LengthHead | null;
  #overlap = 0;
  #items = 0;
  #rewardLoss = 0;
  #nll = 0;
  #nllTokens = 0;
  /** Tokens as TRL counts them: a prompt with every answer. */
  tokens = 0;

  constructor({
    lmWeight,
    lengthHead = null,
  }: {
    /** Weight of the language-model term in the loss. */
    lmWeight: number;
    lengthHead?: LengthHead | null;
  }) {
    this.#lmWeight = lmWeight;
    this.#lengthHead = lengthHead;
  }

  add(
    judged: readonly Pick<TokenisedJudged, 'answers' | 'verdict'>[],
    batch: PackedJudged,
    { rewardLoss, items, nll, scores, length }: PassNumbers,
  ): void {
    this.#rewardLoss += rewardLoss;
    this.#items += items;
    this.#overlap = length?.overlap ?? 0;
    if (nll !== null) {
      this.#nll += nll;
      this.#nllTokens += batch.best.rows.length;
    }
    const heads = scores.length / batch.reads.length;
    const of = (read: number): number[] => scores.slice(read * heads, (read + 1) * heads);
    judged.forEach(({ answers, verdict }, row) => {
      const first = batch.firstReads[row]!;
      const count = answers.reduce((sum, { reads }) => sum + reads.length, 0);
      for (let read = first; read < first + count; read++) {
        this.scored.answers.push({
          scores: of(read),
          tokens: batch.lengths[read]!,
          ...(length && { length: length.scores[read]! }),
        });
      }
      if (verdict.kind === 'process') {
        verdict.labels.forEach((right, step) => {
          this.scored.steps.push({ scores: of(first + step), right });
        });
        return;
      }
      if (verdict.kind === 'pair') {
        const { probability } = verdict;
        const places = likelier(probability) < 0 ? [first + 1, first] : [first, first + 1];
        const [better, worse] = places as [number, number];
        this.scored.comparisons.push({
          better: of(better),
          worse: of(worse),
          tokensBetter: batch.lengths[better]!,
          tokensWorse: batch.lengths[worse]!,
          ...(probability !== undefined && {
            probability: Math.max(probability, 1 - probability),
          }),
        });
        return;
      }
      const { ranks } = verdict;
      for (let better = 0; better < ranks.length; better++) {
        for (let worse = better + 1; worse < ranks.length; worse++) {
          if (ranks[better] === ranks[worse]) continue;
          this.scored.comparisons.push({
            better: of(first + better),
            worse: of(first + worse),
            tokensBetter: batch.lengths[first + better]!,
            tokensWorse: batch.lengths[first + worse]!,
          });
        }
      }
    });
    this.tokens += batch.unsharedTokens;
  }

  /**
   * Under the names of TRL's RewardTrainer, of the mean of the heads. Accuracy is the share of
   * comparisons in which the better answer has the higher score, ties counted half, and of steps
   * whose score has the label's sign.
   */
  metrics(): Metrics {
    const { comparisons, steps, answers } = this.scored;
    const reward = this.#rewardLoss / this.#items;
    const nll = this.#nllTokens > 0 ? this.#nll / this.#nllTokens : 0;
    const rewards = answers.map(({ scores }) => meanOf(scores));
    const margins = comparisons.map(({ better, worse }) => meanOf(better) - meanOf(worse));
    const right = [
      ...margins.map((margin, at) => hitOf(margin * decided(comparisons[at]!))),
      ...steps.map((step) => Number(meanOf(step.scores) > 0 === step.right)),
    ];
    const length = this.#lengthMetrics();
    return {
      loss: reward + this.#lmWeight * nll + (length?.term ?? 0),
      accuracy: meanOf(right),
      ...(margins.length > 0 && { margin: meanOf(margins) }),
      min_reward: rewards.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY),
      mean_reward: meanOf(rewards),
      max_reward: rewards.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY),
      ...((this.#nllTokens > 0 || length !== null) && { reward_loss: reward }),
      ...(this.#nllTokens > 0 && { lm_loss: nll }),
      ...length?.metrics,
    };
  }

  /** Correlations with length over all answers so far; null without a length head. */
  #lengthMetrics(): { term: number; metrics: Metrics } | null {
    if (this.#lengthHead === null) return null;
    const { correlation, orthogonality } = this.#lengthHead;
    const { answers } = this.scored;
    const withLength = (of: (answer: ScoredAnswer) => number): number =>
      pearson(
        answers.map(({ tokens }) => tokens),
        answers.map(of),
      )?.value ?? 0;
    const quality = withLength(({ scores }) => scores[0]!);
    const length = withLength((answer) => answer.length!);
    return {
      term: correlation * (Math.abs(quality) - length) + orthogonality * this.#overlap,
      metrics: {
        length_correlation: quality,
        'length_head/correlation': length,
        'length_head/overlap': this.#overlap,
      },
    };
  }

  /**
   * Further metrics of held-out rows: the number of pairs and steps that the accuracy is a share
   * of, the expected calibration error of pairs, and the correlation of reward with length.
   */
  heldOutMetrics(): Metrics {
    const { comparisons, steps, answers } = this.scored;
    const gaps = comparisons.map(({ better, worse }) => meanOf(better) - meanOf(worse));
    const probabilities = comparisons.map(({ probability = 1 }) => probability);
    const correlation = pearson(
      answers.map(({ tokens }) => tokens),
      answers.map(({ scores }) => meanOf(scores)),
    );
    return {
      comparisons: comparisons.length + steps.length,
      ...(gaps.length > 0 && {
        calibration_error: expectedCalibrationError(reliabilityBins(gaps, { probabilities })),
      }),
      ...(correlation && { length_correlation: correlation.value }),
    };
  }
}
