// Numbers of a lab in words, for the terminal, the report and Markdown.
import { formatNumber } from '@keel/align/internal';
import type { Interval } from '@keel/statistics';
import type { Estimate } from '../curves/analyse.ts';

/** Two digits after the point: more are noise. */
export const number = (value: number): string => {
  const rounded = Math.round(100 * value) / 100;
  return rounded === 0 ? '0' : formatNumber(rounded).replace(/(\.\d)$/, '$10');
};

export const signed = (value: number): string =>
  `${Math.round(100 * value) > 0 ? '+' : ''}${number(value)}`;

export const range = ([low, high]: Interval, show = number): string =>
  `${show(low)} to ${show(high)}`;

/** `+0.31 (+0.12 to +0.50)` */
export const signedEstimate = ({ value, interval }: Estimate): string =>
  `${signed(value)} (${range(interval, signed)})`;

/** `0.31 (0.12 to 0.50)` */
export const estimated = ({ value, interval }: Estimate): string =>
  `${number(value)} (${range(interval)})`;
