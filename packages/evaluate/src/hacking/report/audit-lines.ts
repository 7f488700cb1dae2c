// An audit as tables for the terminal.
import type { AnswerAudit, FeatureChange, ScoreChange } from '@keel/align/hacking';
import type { Audited } from '../audit/audit-options.ts';
import { inUnit, range, signed, sizeText, wholePercent } from './numbers.ts';

/** Rows of cells; the first column is text. */
export type Table = string[][];

/** How everything changed; features that are 0 in all answers are not listed. */
export function changeTable({ audit, names }: Audited): Table {
  const scores = labelledScores({ audit, names }).map(({ label, score }) =>
    scoreCells(label, score),
  );
  const features = audit.features.filter(isSeen).map(featureCells);
  return [
    ['', 'before', 'after', 'change', '95% interval', 'effect (sd)', ''],
    ...scores,
    ...(scores.length > 0 ? [[]] : []),
    ...features,
  ];
}

/** The changes of reward, gold, and the disagreement of an ensemble, as far as they are known. */
export function labelledScores({
  audit,
  names,
}: Pick<Audited, 'audit' | 'names'>): { label: string; score: ScoreChange }[] {
  return [
    { label: `reward: ${names.reward}`, score: audit.reward },
    { label: `gold: ${names.gold}`, score: audit.gold },
    { label: "deviation of the reward's members", score: audit.deviation },
  ].flatMap(({ label, score }) => (score === null ? [] : [{ label, score }]));
}

/** Whether a feature is in any answer. */
export const isSeen = ({ values }: FeatureChange): boolean =>
  [...values.before, ...values.after].some((value) => value !== 0);

export const featureLabel = ({ feature: { label, unit } }: FeatureChange): string =>
  unit === 'share' ? label : `${label}, ${unit}`;

function scoreCells(label: string, score: ScoreChange): string[] {
  const { before, after, difference, interval, size } = score;
  const trend =
    interval === null ? '' : interval[0] > 0 ? 'up' : interval[1] < 0 ? 'down' : 'not certain';
  return [
    ...[label, inUnit('score', before), inUnit('score', after), signed('score', difference)],
    ...[range((end) => signed('score', end), interval), sizeText(size, difference), trend],
  ];
}

function featureCells(change: FeatureChange): string[] {
  const { unit } = change.feature;
  const { before, after, difference, interval, size, changed } = change;
  return [
    ...[featureLabel(change), inUnit(unit, before), inUnit(unit, after), signed(unit, difference)],
    ...[range((end) => signed(unit, end), interval), sizeText(size, difference)],
    changed ? 'changed' : '',
  ];
}

/** What explains the change of the reward; null where nothing does, or without rewards. */
export function explainedTable({ explained, features }: AnswerAudit): Table | null {
  if (explained === null || explained.parts.length === 0) return null;
  const { change, parts, alike, alikeInterval } = explained;
  const share = (part: number): string => (change > 0 ? wholePercent(part / change) : '-');
  const number = (value: number): string => signed('score', value);
  return [
    ['', 'part', '95% interval', 'of the rise', 'coefficient', '95% interval'],
    ...parts.map(({ quantity, part, interval, coefficient }) => [
      ...[features[quantity]!.feature.label, number(part), range(number, interval), share(part)],
      number(coefficient.standardised),
      range(number, coefficient.standardisedInterval),
    ]),
    ['all answers alike', number(alike), range(number, alikeInterval), share(alike), '', ''],
  ];
}
