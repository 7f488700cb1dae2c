// Measurements of a reward model on held-out pairs, in one structure that is written to the run
// folder and shown in the report.
import { type Calibration, calibrationOf } from './calibration.ts';
import { type Correlation, pearson, spearman } from './correlation.ts';
import { signTest } from './exact-tests.ts';
import { type Interval, pairedDifferenceInterval } from './intervals.ts';
import {
  accuracyOf,
  type LengthBucket,
  lengthBuckets,
  longerIsRight,
  longerWins,
  rewardIsRight,
  rewardPrefersLonger,
  type ScoredPair,
} from './length-buckets.ts';
import { type Proportion, proportionOf } from './proportion.ts';

/** Plain numbers, as JSON. */
export interface RewardFindings {
  pairs: number;
  /** Unit of lengths, for example `tokens` */
  lengthUnit: string;
  accuracy: Proportion;
  /** Accuracy of the rule "the longer answer wins" on the same pairs */
  longerWins: Proportion;
  /** Accuracy minus the rule's, with a paired bootstrap interval */
  lead: Lead;
  calibration: Calibration;
  lengthBuckets: LengthBucket[];
  /**
   * Correlation of score and length over all answers; null if all are equal. The two answers of a
   * pair are not independent, so the intervals are somewhat too narrow.
   */
  lengthCorrelation: { pearson: Correlation | null; spearman: Correlation | null };
  /** Statistics on the longer of two answers; null if no lengths differ */
  longerAnswers: LongerAnswers | null;
}

/** How far longer answers are preferred. */
export interface LongerAnswers {
  /** How often the longer answer has the higher reward, whichever was chosen */
  reward: Proportion;
  /** How often the longer answer was chosen */
  labels: Proportion;
  /** The first minus the second, with a paired bootstrap interval */
  lead: Lead;
}

/** How far one reward is ahead of another in accuracy. */
export interface Lead {
  value: number;
  interval: Interval;
  /** Two-sided p-value of the sign test on the pairs on which one did better */
  p: number;
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
    throw new RangeError('measuring a reward model needs at least one pair');
  }
  const answers = pairs.flatMap(({ chosen, rejected }) => [chosen, rejected]);
  const [scores, lengths] = [
    answers.map(({ score }) => score),
    answers.map(({ length }) => length),
  ];
  const correlations = { pearson: pearson(lengths, scores), spearman: spearman(lengths, scores) };
  const [byReward, byLength] = [pairs.map(rewardIsRight), pairs.map(longerIsRight)];
  return {
    pairs: pairs.length,
    lengthUnit,
    accuracy,
    longerWins: rule,
    lead: leadOf(byReward, byLength),
    calibration: calibrationOf(
      pairs.map(({ chosen, rejected }) => chosen.score - rejected.score),
      { bins, probabilities: pairs.map(({ probability = 1 }) => probability) },
    ),
    lengthBuckets: lengthBuckets(pairs),
    lengthCorrelation: correlations,
    longerAnswers: longerAnswersOf(pairs),
  };
}

function longerAnswersOf(pairs: readonly ScoredPair[]): LongerAnswers | null {
  const differing = pairs.filter(({ chosen, rejected }) => chosen.length !== rejected.length);
  const byReward = differing.map(rewardPrefersLonger);
  const byLabel = differing.map(longerIsRight);
  const [reward, labels] = [proportionOf(byReward), proportionOf(byLabel)];
  return reward && labels && { reward, labels, lead: leadOf(byReward, byLabel) };
}

/** How much more often the first of two rules is right on the same items. */
function leadOf(first: readonly number[], second: readonly number[]): Lead {
  const differences = first.map((hit, index) => hit - second[index]!);
  const [wins, losses] = [1, -1].map(
    (sign) => differences.filter((difference) => difference * sign > 0).length,
  );
  return {
    value: differences.reduce((sum, difference) => sum + difference, 0) / differences.length,
    interval: pairedDifferenceInterval(second, first),
    p: signTest(wins!, losses!),
  };
}
