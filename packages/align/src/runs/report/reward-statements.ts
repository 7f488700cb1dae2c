// Explains the measures of a reward model in words.
import type { Calibration, Interval, Lead, RewardFindings } from '@keel/statistics';
import { formatNumber, formatShare } from './format.ts';

/** The ends of an interval of shares. */
export const shareRange = ([low, high]: Interval): string =>
  `${formatShare(low)} to ${formatShare(high)}`;

const points = (share: number): string => formatShare(share).replace('%', '');

/** Accuracy, and the rule that the longer answer wins. */
export function explainAccuracy({ pairs, accuracy, longerWins, lead }: RewardFindings): string {
  const measured = `On ${pairs} held-out ${pairs === 1 ? 'pair' : 'pairs'} the chosen answer has the higher reward in ${formatShare(accuracy.value)} (95% interval ${shareRange(accuracy.interval)}). The rule “the longer answer wins” is right in ${formatShare(longerWins.value)}`;
  const interval = `interval ${points(lead.interval[0])} to ${points(lead.interval[1])}`;
  const side = clear(lead);
  return side === 0
    ? `${measured}; the difference, ${points(lead.value)} points (${interval}), may be due to chance.`
    : `${measured}; the reward model is ${side > 0 ? 'better' : 'worse'} by ${points(Math.abs(lead.value))} points (${interval}).`;
}

/**
 * 1 or -1 if both the interval and the test rule out chance, otherwise 0: with few pairs, the
 * bootstrap alone is unreliable.
 */
function clear({ interval: [low, high], p }: Lead): number {
  return p > 0.05 ? 0 : low > 0 ? 1 : high < 0 ? -1 : 0;
}

/** Whether the model's probabilities are calibrated, and in which direction they err. */
export function explainCalibration({ error, errorByChance, bins }: Calibration): string {
  const measured = `Expected calibration error ${formatShare(error.value)} (interval ${shareRange(error.interval)}). A perfectly calibrated model would show ${formatShare(errorByChance.value)} on as many pairs, and rarely more than ${formatShare(errorByChance.high)}`;
  if (error.value <= errorByChance.high) {
    return `${measured}: these pairs show no miscalibration.`;
  }
  const surplus = bins.reduce(
    (sum, { accuracy, confidence }) => sum + accuracy.count * (confidence - accuracy.value),
    0,
  );
  return surplus > 0
    ? `${measured}: the model is overconfident.`
    : `${measured}: the model is underconfident.`;
}

/** Whether the reward follows length, and more than the labels do. */
export function explainLength(findings: RewardFindings): string {
  const { lengthCorrelation, longerAnswers, lengthUnit } = findings;
  const { pearson, spearman } = lengthCorrelation;
  if (longerAnswers === null || pearson === null || spearman === null) {
    return 'All pairs have answers of the same length, or all answers have the same reward, so the effect of length on the reward cannot be measured.';
  }
  const { reward, labels, lead } = longerAnswers;
  const range = pearson.interval
    ? `, interval ${formatNumber(pearson.interval[0])} to ${formatNumber(pearson.interval[1])}`
    : '';
  const verdicts = {
    '1': 'the reward favours length more than the labels do, so a policy trained on it tends to write longer answers',
    '0': 'these pairs show no difference between reward and labels in this respect',
    '-1': 'the reward favours length less than the labels do',
  };
  const verdict = verdicts[`${clear(lead)}` as keyof typeof verdicts];
  return `Over all answers, reward and length in ${lengthUnit} correlate by ${formatNumber(pearson.value)} (Pearson${range}; Spearman ${formatNumber(spearman.value)}). Of two answers of different length, the longer has the higher reward in ${formatShare(reward.value)} (interval ${shareRange(reward.interval)}), and was the chosen one in ${formatShare(labels.value)}: ${verdict}.`;
}
