// What held-out pairs tell of a reward model, in one structure that is written beside the run and drawn in its report.
import { type Calibration, calibrationOf } from './calibration.ts';
import { type Correlation, pearson, spearman } from './correlation.ts';
import { signTest } from './exact-tests.ts';
import { type Interval, pairedDifferenceInterval } from './intervals.ts';
import {
  accuracyOf,
  type LengthBucket,
  lengthBuckets,
  longerWins,
  rewardPrefersLonger,
  type ScoredPair,
} from './length-buckets.ts';
import { hitOf, type Proportion } from './proportion.ts';

/** Plain numbers, as JSON. */
export interface RewardFindings {
  pairs: number;
  /** What lengths are counted in, for example `tokens` */
  lengthUnit: string;
  accuracy: Proportion;
  /** The rule "the longer answer wins" on the same pairs */
  longerWins: Proportion;
  /** Accuracy less the rule's, with a paired bootstrap interval; p is the sign test's on the pairs
   * where one did better */
  lead: { value: number; interval: Interval; p: number };
  calibration: Calibration;
  lengthBuckets: LengthBucket[];
  /** Score against length over all answers; null where all are equal. The two answers of a pair are not
   * independent, so that the intervals are somewhat narrow. */
  lengthCorrelation: { pearson: Correlation | null; spearman: Correlation | null };
  /** How often the longer answer of a pair has the higher reward; null where no lengths differ */
  prefersLonger: Proportion | null;
}

/**
 * @param pairs held-out pairs with the rewards and lengths of both answers
 * @throws RangeError without pairs, and for a score or a length that is not finite
 */
export function rewardFindings(
  pairs: readonly ScoredPair[],
  { lengthUnit = 'tokens', bins = 10 }: { lengthUnit?: string; bins?: number } = {},
): RewardFindings {
  const [accuracy, rule] = [accuracyOf(pairs), longerWins(pairs)];
  if (accuracy === null || rule === null) {
    throw new RangeError('a reward model is measured on at least one pair');
  }
  const answers = pairs.flatMap(({ chosen, rejected }) => [chosen, rejected]);
  const [scores, lengths] = [
    answers.map(({ score }) => score),
    answers.map(({ length }) => length),
  ];
  const correlations = { pearson: pearson(lengths, scores), spearman: spearman(lengths, scores) };
  const byReward = pairs.map(({ chosen, rejected }) => hitOf(chosen.score - rejected.score));
  const byLength = pairs.map(({ chosen, rejected }) => hitOf(chosen.length - rejected.length));
  const better = byReward.map((hit, index) => hit - byLength[index]!);
  return {
    pairs: pairs.length,
    lengthUnit,
    accuracy,
    longerWins: rule,
    lead: {
      value: accuracy.value - rule.value,
      interval: pairedDifferenceInterval(byLength, byReward),
      p: signTest(
        better.filter((lead) => lead > 0).length,
        better.filter((lead) => lead < 0).length,
      ),
    },
    calibration: calibrationOf(
      pairs.map(({ chosen, rejected }) => chosen.score - rejected.score),
      { bins },
    ),
    lengthBuckets: lengthBuckets(pairs),
    lengthCorrelation: correlations,
    prefersLonger: rewardPrefersLonger(pairs),
  };
}
