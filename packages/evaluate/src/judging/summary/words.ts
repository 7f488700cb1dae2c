// Numbers of a summary in words, for the terminal and the report.
import type { Interval, Proportion } from '@keel/statistics';
import type { OrderStatistics } from './summary-types.ts';

/** `63%`, with a decimal where few digits are left. */
export function percent(share: number): string {
  const value = 100 * share;
  const near = value !== 0 && value !== 100 && (value < 1 || value > 99);
  return `${value.toFixed(near ? 1 : 0)}%`;
}

/** `63% [55%, 71%]` */
export const rated = ({ value, interval }: { value: number; interval: Interval }): string =>
  `${percent(value)} [${percent(interval[0])}, ${percent(interval[1])}]`;

/** {@link rated}, or why there is no such number. */
export const ratedOr = (share: Proportion | null, why: string): string =>
  share === null ? why : rated(share);

/** How often both orders of the answers have the same winner. */
export function ordersText({ agree, once }: OrderStatistics): string {
  if (agree !== null) return rated(agree);
  return once > 0
    ? 'always: the judge does not see the order'
    : 'not measured: no pair was judged in both orders';
}

/** `1 pair`, `2 pairs` */
export const counted = (count: number, one: string, many = `${one}s`): string =>
  `${count} ${count === 1 ? one : many}`;
