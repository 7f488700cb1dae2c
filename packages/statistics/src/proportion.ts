import { type Interval, wilsonInterval } from './intervals.ts';

/** A share of `count` items with its 95% interval (Wilson). */
export interface Proportion {
  value: number;
  count: number;
  interval: Interval;
}

/**
 * The mean of hits, each from 0 to 1: 1 for right, 0 for wrong, one half for undecided. @returns
 * null without items
 */
export function proportionOf(hits: readonly number[]): Proportion | null {
  const count = hits.length;
  if (count === 0) return null;
  const successes = hits.reduce((sum, hit) => sum + hit, 0);
  return { value: successes / count, count, interval: wilsonInterval(successes, count) };
}

/**
 * Scores a rule by its lead towards the truth: right (1), wrong (0), or undecided (0.5) at a lead
 * of 0.
 */
export const hitOf = (lead: number): number => (lead > 0 ? 1 : lead < 0 ? 0 : 0.5);
