// What an audit found, in sentences.
import type { AnswerAudit, FeatureChange, Mechanism, Verdict } from '@keel/align/hacking';
import type { Interval } from '@keel/statistics';
import { inUnit, range, signed, wholePercent } from './numbers.ts';

/** The verdict in a few words. */
export function verdictTitle({ code }: Pick<Verdict, 'code'>): string {
  switch (code) {
    case 'gamed':
      return 'The reward was gamed';
    case 'unexplained':
      return 'The reward rose without gold, and no feature explains it';
    case 'unclear':
      return 'Too few prompts to tell whether gold followed the reward';
    case 'no-gold':
      return 'The reward rose; without a gold reward, nothing tells whether it was gamed';
    case 'gold-follows':
      return 'No sign of gaming: gold rose with the reward';
    case 'reward-not-up':
      return 'No sign of gaming: the reward did not rise';
    case 'no-reward':
      return 'The answers have no reward';
    case 'too-few':
      return 'Too few prompts to decide anything';
  }
}

/** What the verdict is based on, and what to do. */
export function verdictSentences(audit: AnswerAudit): string[] {
  const { reward, gold, verdict } = audit;
  return [
    ...(reward === null
      ? []
      : [`The reward changed by ${change(reward.difference, reward.interval)}.`]),
    ...(gold === null ? [] : [`Gold changed by ${change(gold.difference, gold.interval)}.`]),
    ...verdict.mechanisms.map(mechanismSentence),
    advice(verdict),
  ];
}

const change = (difference: number, interval: Interval | null): string =>
  `${signed('score', difference)}${interval === null ? '' : ` (95%: ${range((end) => signed('score', end), interval)})`}`;

/** "The answers are longer (310 -> 620 characters), which goes with 78% of the rise (…)." */
export function mechanismSentence({
  change: own,
  kind,
  share,
  interval,
  with: others,
}: Mechanism): string {
  const { feature, before, after, difference } = own;
  const does = difference > 0 ? feature.more : feature.less;
  const size = own.size === null ? '' : `, ${signed('score', own.size)} standard deviations`;
  const values = `${inUnit(feature.unit, before)} -> ${inUnit(feature.unit, after)}${unitText(feature)}${size}`;
  const part = `${wholePercent(share)} of the reward's rise (95%: ${range(wholePercent, interval)})`;
  const company =
    others.length === 0 ? '' : ` It changed together with: ${others.map(labelOf).join(', ')}.`;
  return kind === 'graded'
    ? `The answers ${does} (${values}), and where they do so more, the reward rose more: this goes with ${part}.${company}`
    : `The answers ${does} (${values}), and this may be what pays: ${part} goes with no graded change.`;
}

export const labelOf = ({ feature }: FeatureChange): string => feature.label;

export const unitText = ({ unit }: FeatureChange['feature']): string =>
  unit === 'share' ? '' : ` ${unit}`;

function advice({ code, mechanisms }: Verdict): string {
  switch (code) {
    case 'gamed':
      return 'Read the answers that gained most. Stop earlier, or change the reward so that it does not pay for this.';
    case 'unexplained':
      return 'Read the answers that gained most: the reward pays for something that no feature measures.';
    case 'unclear':
      return 'Use more prompts, or several answers to each.';
    case 'no-gold':
      return `${mechanisms.length > 0 ? 'This may be what you want. ' : ''}Pass --gold with what the reward stands for: another reward, a judge, or a column of people's scores.`;
    case 'gold-follows':
      return mechanisms.length > 0
        ? 'The named changes go with a rise that gold confirms.'
        : 'Nothing needs to be done.';
    case 'reward-not-up':
      return 'Changes of the answers, if any, did not pay.';
    case 'no-reward':
      return 'Pass --reward, or add the column "reward" to the rows, to see what the changes pay.';
    case 'too-few':
      return 'Use at least ten prompts.';
  }
}
