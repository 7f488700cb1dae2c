import type { PackedJudged } from '../../batching/pack-judged.ts';
import type { TokenisedJudged } from '../../batching/tokenise-judged.ts';
import { expectedCalibrationError, reliabilityBins } from '../../evaluation/calibration.ts';
import { pearson } from '../../evaluation/correlation.ts';
import type { ScoredPair } from '../../evaluation/length-buckets.ts';
import { hitOf } from '../../evaluation/proportion.ts';
import type { Metrics } from '../../training/training-task.ts';

/** Two answers to one prompt of which the first is the better one; scores by head. */
export interface ScoredComparison {
  better: number[];
  worse: number[];
  /** Tokens of the answers. */
  tokensBetter: number;
  tokensWorse: number;
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
}

/** What was scored of judged rows, without normalisation. */
export interface ScoredRows {
  comparisons: ScoredComparison[];
  steps: ScoredStep[];
  answers: ScoredAnswer[];
}

/** Of a list of scores by head. */
export const meanOf = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/** Pairs of one reward and length an answer, as what is told of a reward model wants them. */
export function scoredPairs(
  { comparisons }: ScoredRows,
  combined: (heads: readonly (readonly number[])[]) => number[],
): ScoredPair[] {
  const column = (name: 'better' | 'worse'): number[] =>
    comparisons.length === 0 ? [] : combined(byHead(comparisons.map((one) => one[name])));
  const [better, worse] = [column('better'), column('worse')];
  return comparisons.map(({ tokensBetter, tokensWorse }, index) => ({
    chosen: { score: better[index]!, length: tokensBetter },
    rejected: { score: worse[index]!, length: tokensWorse },
  }));
}

/** [N][K] to [K][N] */
export const byHead = (scores: readonly (readonly number[])[]): number[][] =>
  (scores[0] ?? []).map((_, head) => scores.map((own) => own[head]!));

/** Sums over the passes of a step or an evaluation, and every score in them. */
export class RewardTotals {
  readonly scored: ScoredRows = { comparisons: [], steps: [], answers: [] };
  /** Pairs, rankings and steps added. */
  items = 0;
  /** Tokens as TRL counts them: a prompt with every answer. */
  tokens = 0;
  /** Summed over items, the mean of the heads. */
  lossSum = 0;
  /** Summed over the tokens of the language-model term. */
  nllSum = 0;
  nllTokens = 0;

  /** @param scores [R * K], row by row */
  add(
    judged: readonly Pick<TokenisedJudged, 'answers' | 'verdict'>[],
    batch: PackedJudged,
    scores: readonly number[],
  ): void {
    const heads = scores.length / batch.reads.length;
    const of = (read: number): number[] => scores.slice(read * heads, (read + 1) * heads);
    judged.forEach(({ answers, verdict }, row) => {
      const first = batch.firstReads[row]!;
      const count = answers.reduce((sum, { reads }) => sum + reads.length, 0);
      for (let read = first; read < first + count; read++) {
        this.scored.answers.push({ scores: of(read), tokens: batch.lengths[read]! });
      }
      if (verdict.kind === 'process') {
        verdict.labels.forEach((right, step) => {
          this.scored.steps.push({ scores: of(first + step), right });
        });
        return;
      }
      const ranks = verdict.kind === 'pair' ? [1, 2] : verdict.ranks;
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
   * @param lmWeight weight of the language-model term in the loss
   */
  metrics(lmWeight: number): Metrics {
    const { lossSum, items, nllSum, nllTokens } = this;
    const { comparisons, steps, answers } = this.scored;
    const reward = lossSum / items;
    const nll = nllTokens > 0 ? nllSum / nllTokens : 0;
    const rewards = answers.map(({ scores }) => meanOf(scores));
    const margins = comparisons.map(({ better, worse }) => meanOf(better) - meanOf(worse));
    const right = [
      ...margins.map(hitOf),
      ...steps.map((step) => Number(meanOf(step.scores) > 0 === step.right)),
    ];
    return {
      loss: reward + lmWeight * nll,
      accuracy: meanOf(right),
      ...(margins.length > 0 && { margin: meanOf(margins) }),
      min_reward: rewards.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY),
      mean_reward: meanOf(rewards),
      max_reward: rewards.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY),
      ...(nllTokens > 0 && { reward_loss: reward, lm_loss: nll }),
    };
  }

  /**
   * What is told of held-out rows beside: expected calibration error of pairs, and the correlation
   * of reward with length.
   */
  heldOutMetrics(): Metrics {
    const { comparisons, answers } = this.scored;
    const gaps = comparisons.map(({ better, worse }) => meanOf(better) - meanOf(worse));
    const correlation = pearson(
      answers.map(({ tokens }) => tokens),
      answers.map(({ scores }) => meanOf(scores)),
    );
    return {
      ...(gaps.length > 0 && {
        calibration_error: expectedCalibrationError(reliabilityBins(gaps)),
      }),
      ...(correlation && { length_correlation: correlation.value }),
    };
  }
}
