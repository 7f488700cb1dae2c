// Numbers of an audit in words, for the terminal and the report.
import type { AnswerFeature } from '@keel/align/hacking';
import { formatNumber, formatShare } from '@keel/align/internal';
import type { Interval } from '@keel/statistics';

type Unit = AnswerFeature['unit'] | 'score';

/** A value in its unit: `12%`, `0.412`, `318`. */
export const inUnit = (unit: Unit, value: number): string =>
  unit === 'share' ? formatShare(value) : formatNumber(rounded(value));

/** With its sign. */
export const signed = (unit: Unit, value: number): string =>
  `${value > 0 ? '+' : ''}${inUnit(unit, value)}`;

export const range = (show: (value: number) => string, interval: Interval | null): string =>
  interval === null ? '-' : `${show(interval[0])} to ${show(interval[1])}`;

/** A size in standard deviations; nothing varied where there is none. */
export const sizeText = (size: number | null, difference: number): string =>
  size === null ? (difference === 0 ? '0' : 'all alike') : signed('score', size);

/** A share of the rise: `78%`. */
export const wholePercent = (share: number): string => formatShare(Math.round(100 * share) / 100);

/** Three digits are more than the interval knows. */
const rounded = (value: number): number =>
  Math.abs(value) < 5e-4 ? 0 : Number(value.toPrecision(3));
