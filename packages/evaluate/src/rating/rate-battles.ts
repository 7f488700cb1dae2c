// From battles to everything that `keel rate` shows.
import {
  type BattleTable,
  bradleyTerry,
  eloRatings,
  type NextPair,
  NoMaximumError,
  nextPairs,
  type PairCounts,
  type Ratings,
} from '@keel/statistics';
import type { ReadBattles } from './read-battles.ts';

export interface RatingOptions {
  /** Model whose rating is moved to a number. */
  anchor: { name: string; rating: number } | null;
  intervals: 'sandwich' | 'bootstrap';
  /** Bootstrap samples */
  resamples: number;
  seed: number;
  /** A battle counts 1 / max(battles of its pair, this number); null: 1. */
  balancePairs: number | null;
  /** Standard deviation of a normal prior of the ratings, in points; null: none. */
  prior: number | null;
  /** K of Elo's online ratings; null: not computed. */
  elo: number | null;
  /** How many next pairs to suggest. */
  next: number;
}

export interface RatingResults {
  overall: Ratings;
  /** Elo's online rating of each model. */
  elo: ReadonlyMap<string, number> | null;
  /** Battles and wins, in the order of the ratings. */
  pairs: PairCounts;
  next: readonly NextPair[];
  /** Ratings of the battles of each category, most battles first; empty without categories. */
  categories: readonly CategoryRatings[];
}

export interface CategoryRatings {
  name: string;
  battles: number;
  /** null where the likelihood has no maximum. */
  ratings: Ratings | null;
  /** Why there are no ratings. */
  why: string | null;
}

export interface RateHooks {
  /** Bootstrap samples that are done. */
  onSample?(done: number, total: number): void;
}

/**
 * @throws NoMaximumError where models cannot be rated: the message names them and says what to do
 */
export function rateBattles(
  { table, categories }: Pick<ReadBattles, 'table' | 'categories'>,
  options: RatingOptions,
  { onSample }: RateHooks = {},
): RatingResults {
  const { prior, elo, next } = options;
  const parts = categories === null ? [] : partsOf(table, categories);
  table.standardiseFeatures();
  const overall = overallRatings(table, options, onSample);
  const pairs = table.pairCounts(overall.ratings.map(({ name }) => name));
  return {
    overall,
    elo: elo === null ? null : eloRatings(table, { k: elo }),
    pairs,
    next: nextPairs(overall.ratings, pairs, next, prior),
    categories: parts.map(({ name, part }) => ({
      ...{ name, battles: part.length },
      ...categoryRatings(part, options),
    })),
  };
}

function overallRatings(
  table: BattleTable,
  options: RatingOptions,
  onSample: RateHooks['onSample'],
): Ratings {
  try {
    return ratingsOf(table, options, onSample);
  } catch (error) {
    if (!(error instanceof NoMaximumError)) throw error;
    throw new NoMaximumError(
      `${error.message}. Collect battles that change this, leave the models out with --exclude, or rate all with a prior: --prior 400`,
    );
  }
}

function categoryRatings(
  table: BattleTable,
  options: RatingOptions,
): Pick<CategoryRatings, 'ratings' | 'why'> {
  table.standardiseFeatures();
  const { anchor } = options;
  // A category without battles of the anchor has the mean of 1000.
  const own = anchor !== null && table.names.includes(anchor.name) ? anchor : null;
  try {
    return { ratings: ratingsOf(table, { ...options, anchor: own }), why: null };
  } catch (error) {
    if (!(error instanceof NoMaximumError)) throw error;
    return { ratings: null, why: error.message };
  }
}

const ratingsOf = (
  table: BattleTable,
  { anchor, intervals, resamples, seed, balancePairs, prior }: RatingOptions,
  onSample?: RateHooks['onSample'],
): Ratings =>
  bradleyTerry(table, {
    ...{ anchor, balancePairs, prior },
    intervals:
      intervals === 'sandwich' ? intervals : { resamples, seed, ...(onSample && { onSample }) },
  });

function partsOf(
  table: BattleTable,
  { names, of }: NonNullable<ReadBattles['categories']>,
): { name: string; part: BattleTable }[] {
  return names
    .map((name, index) => ({ name, part: table.where((battle) => of[battle] === index) }))
    .sort((one, other) => other.part.length - one.part.length);
}
