// Numbers of a lab in words, for the terminal, the report and Markdown.
import type { Interval } from '@keel/statistics';
import type { Estimate } from '../curves/analyse.ts';

/** Two digits after the point: more are noise. */
export const number = (value: number): string =>
  value
    .toFixed(2)
    .replace(/^-(0\.00)$/, '$1')
    .replace('-', '\u2212');

export const signed = (value: number): string =>
  `${Math.round(100 * value) > 0 ? '+' : ''}${number(value)}`;

export const range = ([low, high]: Interval, show = number): string =>
  `${show(low)} to ${show(high)}`;

/** `+0.31 (+0.12 to +0.50)`; an exact number has no interval. */
export const signedEstimate = (one: Estimate): string => estimated(one, signed);

/** `0.31 (0.12 to 0.50)` */
export const estimated = ({ value, interval }: Estimate, show = number): string =>
  `${show(value)}${interval === null ? '' : ` (${range(interval, show)})`}`;

/** Whether a number is above 0 beyond its interval. */
export const isAbove = ({ value, interval }: Estimate): boolean => (interval?.[0] ?? value) > 0;
export const isBelow = ({ value, interval }: Estimate): boolean => (interval?.[1] ?? value) < 0;
