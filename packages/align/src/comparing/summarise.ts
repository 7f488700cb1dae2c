// Summarises the measurements of entries in a row per objective: means over items, spread over
// seeds, intervals.

import {
  bootstrapMeanInterval,
  hitOf,
  type Interval,
  pairedDifferenceInterval,
  proportionOf,
  signTest,
} from '@keel/statistics';
import { likelier } from '../data/label-probability.ts';
import type { CompareEntry } from './comparison.ts';
import type { Measured, MeasuredPairs } from './measured.ts';
import { type SuiteNumbers, suiteNumbersOf } from './suite-numbers.ts';

/** Numbers per item: per held-out pair, or per held-out prompt. */
export type Items = Readonly<Record<Metric, readonly number[] | null>>;

/** The metrics of every entry; win rate and reward are null without a reward. */
export const metrics = [
  'accuracy',
  'likelier',
  'margin',
  'chosen',
  'rejected',
  'kl',
  'kl_k1',
  'length',
  'ended',
  'win_rate',
  'reward',
] as const;
export type Metric = (typeof metrics)[number];

/** Metrics relative to the reference: they have no meaning for the reference itself. */
export const relative: readonly Metric[] = ['accuracy', 'margin', 'chosen', 'rejected', 'win_rate'];

/** Metrics that are shares from 0 to 1. */
export const shares: readonly Metric[] = ['accuracy', 'likelier', 'ended', 'win_rate'];

/** A mean over items, and over seeds. */
export interface Summary {
  value: number;
  /** Standard deviation over seeds; null with one. */
  spread: number | null;
  /**
   * 95% interval over the choice of items: Wilson for a share, otherwise bootstrap; with several
   * seeds, over each item's mean.
   */
  interval: Interval;
}

export type EntryNumbers = Readonly<Record<Metric, Summary | null>>;

/** A finished and measured entry. */
export interface MeasuredEntry {
  entry: CompareEntry;
  measured: Measured;
  /** Training tokens as TRL counts them: each prompt counts once for each of its two answers. */
  tokens: number;
  /** Training time. */
  seconds: number;
}

/** Entries that differ only in their seed. */
export interface Group {
  name: string;
  entries: readonly MeasuredEntry[];
  numbers: EntryNumbers;
  suites: SuiteNumbers;
}

/** @param reference the reference's measurements, whose answers' scores decide the wins */
export function itemsOf({ pairs: read, answers }: Measured, reference: Measured): Items {
  const pairs = likelierFirst(read);
  const decided = pairs.chosen.map((_, at) => Math.abs(likelier(read.probabilities?.[at])));
  const change = (policy: readonly number[], before: readonly number[]): number[] =>
    policy.map((one, at) => one - before[at]!);
  const chosen = change(pairs.chosen, pairs.referenceChosen);
  const rejected = change(pairs.rejected, pairs.referenceRejected);
  const margin = change(chosen, rejected);
  const before = new Map(reference.answers.map(({ row, score }) => [row, score]));
  const scores = answers.map(({ score }) => score);
  const judged = scores.every((score) => score !== null);
  return {
    accuracy: margin.map((lead, at) => hitOf(lead * decided[at]!)),
    likelier: perTokenMargins(pairs).map((lead, at) => hitOf(lead * decided[at]!)),
    ...{ margin, chosen, rejected },
    kl: answers.map(({ k3 }) => k3),
    kl_k1: answers.map(({ k1 }) => k1),
    length: answers.map(({ tokens }) => tokens),
    ended: answers.map(({ ended }) => (ended ? 1 : 0)),
    win_rate: judged ? answers.map(({ row, score }) => hitOf(score! - before.get(row)!)) : null,
    reward: judged ? (scores as number[]) : null,
  };
}

/** The pairs with the more probable answer of an uncertain label as the chosen one. */
function likelierFirst(pairs: MeasuredPairs): MeasuredPairs {
  const { probabilities } = pairs;
  if (probabilities === undefined) return pairs;
  const oriented = (one: Column, other: Column): number[] =>
    pairs[one].map((value, at) => (likelier(probabilities[at]) < 0 ? pairs[other][at]! : value));
  return {
    ...pairs,
    chosen: oriented('chosen', 'rejected'),
    rejected: oriented('rejected', 'chosen'),
    referenceChosen: oriented('referenceChosen', 'referenceRejected'),
    referenceRejected: oriented('referenceRejected', 'referenceChosen'),
    tokensChosen: oriented('tokensChosen', 'tokensRejected'),
    tokensRejected: oriented('tokensRejected', 'tokensChosen'),
  };
}

type Column = Exclude<keyof MeasuredPairs, 'probabilities'>;

/**
 * Mean log-probability of a chosen token minus that of a rejected one, per pair: the reward without
 * a reference.
 */
const perTokenMargins = ({ chosen, rejected, tokensChosen, tokensRejected }: MeasuredPairs) =>
  chosen.map(
    (sum, at) =>
      sum / Math.max(1, tokensChosen[at]!) - rejected[at]! / Math.max(1, tokensRejected[at]!),
  );

/** @param runs items of each seed, all for the same pairs and prompts */
export function numbersOf(runs: readonly Items[]): EntryNumbers {
  return Object.fromEntries(
    metrics.map((metric) => [metric, summaryOf(runs, metric)]),
  ) as unknown as EntryNumbers;
}

function summaryOf(runs: readonly Items[], metric: Metric): Summary | null {
  const lists = runs.map((items) => items[metric]);
  if (lists.some((list) => list === null)) return null;
  const means = lists.map((list) => mean(list!));
  const items = itemMeans(runs, metric);
  const interval =
    // A bootstrap of hits would be overconfident: 100% of 60 pairs is not exactly 100%.
    shares.includes(metric) ? proportionOf(items)!.interval : bootstrapMeanInterval(items);
  return { value: mean(means), spread: runs.length === 1 ? null : deviation(means), interval };
}

/** Each item's mean over seeds. */
export const itemMeans = (runs: readonly Items[], metric: Metric): number[] =>
  runs[0]![metric]!.map((_, at) => mean(runs.map((items) => items[metric]![at]!)));

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/** Sample standard deviation: divides by one less than the number of values. */
function deviation(values: readonly number[]): number {
  const centre = mean(values);
  const squares = values.reduce((sum, value) => sum + (value - centre) ** 2, 0);
  return Math.sqrt(squares / (values.length - 1));
}

/**
 * The metric that entries are ordered by: the win rate if there is one, otherwise accuracy, then
 * margin.
 */
export const leadMetric = (numbers: EntryNumbers): Metric =>
  numbers.win_rate === null ? 'accuracy' : 'win_rate';

/** Groups of entries, the best first. */
export function groupsOf(entries: readonly MeasuredEntry[], reference: Measured): Group[] {
  const names = [...new Set(entries.map(({ entry }) => entry.group))];
  const groups = names.map((name): Group => {
    const own = entries.filter(({ entry }) => entry.group === name);
    const numbers = numbersOf(own.map(({ measured }) => itemsOf(measured, reference)));
    const suites = suiteNumbersOf(own.map(({ measured }) => measured));
    return { name, entries: own, numbers, suites };
  });
  const order = ['win_rate', 'accuracy', 'margin'] as const;
  return groups.sort((a, b) => {
    for (const metric of order) {
      const difference = (b.numbers[metric]?.value ?? 0) - (a.numbers[metric]?.value ?? 0);
      if (difference !== 0) return difference;
    }
    return 0;
  });
}

/**
 * The first group's lead over another, and whether other pairs or prompts could have reversed it.
 */
export interface Lead {
  over: string;
  value: number;
  interval: Interval;
  /**
   * p-value of the exact sign test on the items in which they differ; the bootstrap alone is
   * overconfident with few items.
   */
  p: number;
  /** The interval excludes 0, and p is below 0.05. */
  clear: boolean;
}

/** The lead of the first group over each of the others, item by item. */
export function leadsOf(groups: readonly Group[], reference: Measured): Lead[] {
  const [first, ...others] = groups;
  if (first === undefined) return [];
  const metric = leadMetric(first.numbers);
  const of = ({ entries }: Group): number[] =>
    itemMeans(
      entries.map(({ measured }) => itemsOf(measured, reference)),
      metric,
    );
  const best = of(first);
  return others.map((group) => {
    const own = of(group);
    const interval = pairedDifferenceInterval(own, best);
    const value = mean(best) - mean(own);
    const ahead = best.filter((one, at) => one > own[at]!).length;
    const behind = best.filter((one, at) => one < own[at]!).length;
    const p = signTest(ahead, behind);
    return { over: group.name, value, interval, p, clear: interval[0] > 0 && p < 0.05 };
  });
}
