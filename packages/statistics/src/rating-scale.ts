import { sigmoid } from './logistic-regression.ts';

/** Points of rating per unit of log-odds: Elo's scale. */
export const RATING_SCALE = 400 / Math.LN10;
/** The mean of all ratings. */
export const MEAN_RATING = 1000;

/** P(a beats b) by two ratings. */
export const winProbability = (a: number, b: number): number => sigmoid((a - b) / RATING_SCALE);

/** (a - b) / (a + b + 1): how much more of something a's answer has (FastChat's style feature). */
export const styleFeature = (a: number, b: number): number => (a - b) / (a + b + 1);
