// What a summary of verdicts has.
import type { JudgeUsage } from '@keel/align/judges';
import type { Interval, Proportion } from '@keel/statistics';
import type { Side } from '../verdicts/verdict-row.ts';

/** What a reader should know before believing a number. */
export interface Finding {
  code:
    | 'cannot-tell'
    | 'order-bias'
    | 'length-gap'
    | 'no-difference'
    | 'failures'
    | 'incomplete'
    | 'flagged'
    | 'no-verdicts'
    | 'no-better-than-coin'
    | 'length-bias'
    | 'below-people';
  severity: 'note' | 'warning' | 'serious';
  text: string;
}

/** A judge's comparison of two models. */
export interface JudgingSummary {
  judge: string;
  modelA: string;
  modelB: string;
  pairs: number;
  /** Pairs with a verdict. */
  judged: number;
  /** Prompts of these: the units of all intervals. */
  prompts: number;
  /** Win rate of b over a: the mean preference. null without verdicts */
  winRate: Proportion | null;
  wins: number;
  losses: number;
  ties: number;
  lengthControlled: LengthControlledRate;
  orders: OrderStatistics;
  /** Share of decided pairs of different lengths that the longer answer won. */
  longerWins: Proportion | null;
  lengths: Record<Side, MeanLength>;
  failures: { reason: string; count: number; firstRow: number }[];
  /** Pairs whose verdict lacks a member of the panel that could not be reached. */
  incomplete: number;
  /** Pairs that a rule decided without asking, by rule. */
  rules: { rule: string; count: number }[];
  flagged: FlagStatistics;
  usage: JudgeUsage;
  categories: CategoryRate[];
  /** How right the judge is where the answer is known; null if it was not checked. */
  check: JudgeCheck | null;
  findings: Finding[];
}

/** A judge's verdicts on labelled pairs. */
export interface JudgeCheck {
  pairs: number;
  /** Pairs with a verdict on which most people prefer one answer. */
  decided: number;
  /** Share of decided pairs on which the judge is right; its ties count half. */
  accuracy: Proportion | null;
  orders: OrderStatistics;
}

export type LengthControlledRate =
  | { value: number; interval: Interval; why: null }
  | { value: null; interval: null; why: string };

export interface OrderStatistics {
  /** Pairs that were judged in both orders. */
  pairs: number;
  /** Pairs that were asked about once, because the judge does not see the order. */
  once: number;
  /** Share of pairs judged in both orders that have the same winner in both. */
  agree: Proportion | null;
  /** Share of verdicts that the answer in the first place won; ties count half. */
  firstWins: Proportion | null;
}

export interface MeanLength {
  characters: number;
  words: number;
}

export interface FlagStatistics {
  /** Answers with this flag. */
  flags: { flag: string; a: number; b: number }[];
  rows: number;
  /** Win rate without pairs that have a flagged answer; null where nothing is flagged. */
  winRateWithout: Proportion | null;
}

export interface CategoryRate {
  category: string;
  pairs: number;
  winRate: Proportion;
  wins: number;
  losses: number;
  ties: number;
}
