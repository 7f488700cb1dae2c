// The format of ratings.json and of `keel rate --json`.
import type { Rating, Ratings } from '@keel/statistics';
import type { RatingsFile } from '../result-files/ratings-file.ts';
import { styleNames } from './battles/answer-style.ts';
import type { RatingOptions, RatingResults } from './rate-battles.ts';
import type { ReadBattles } from './read-battles.ts';

export interface RatingJsonInput {
  read: ReadBattles;
  options: RatingOptions;
  results: RatingResults;
}

export function ratingsJson({ read, options, results }: RatingJsonInput): RatingsFile {
  const { overall, elo, pairs, next, categories } = results;
  return {
    version: 1,
    formats: read.formats,
    rows: read.rows,
    battles: read.table.length,
    ties: read.ties,
    clusters: read.clusters,
    ...(read.unclustered > 0 && { unclustered: read.unclustered }),
    judges: read.judges,
    skipped: read.skipped,
    bad_rows: read.badRows,
    options: {
      intervals: options.intervals,
      ...(options.intervals === 'bootstrap' && {
        ...{ resamples: options.resamples, seed: options.seed },
        skipped_samples: overall.skippedSamples,
      }),
      ...{ anchor: options.anchor, balance_pairs: options.balancePairs, prior: options.prior },
    },
    ratings: overall.ratings.map((one) => ({
      ...ratingJson(one),
      ...(elo !== null && { elo: elo.get(one.name) }),
    })),
    ...(overall.coefficients.length > 0 && { style: styleJson(overall) }),
    pairs: pairsJson(overall.ratings, pairs),
    next: next.map(({ winProbability, ...one }) => ({ ...one, win_probability: winProbability })),
    ...(categories.length > 0 && {
      categories: categories.map(({ name, battles, ratings, why }) => ({
        ...{ name, battles, ratings: ratings?.ratings.map(ratingJson) ?? null },
        ...(ratings !== null && ratings.coefficients.length > 0 && { style: styleJson(ratings) }),
        ...(why !== null && { why }),
      })),
    }),
  };
}

const ratingJson = ({ name, rating, interval, ranks, winRate, battles }: Rating) => ({
  ...{ model: name, rating, interval, ranks, win_rate: winRate, battles },
});

const styleJson = ({ coefficients }: Ratings): NonNullable<RatingsFile['style']> =>
  Object.fromEntries(coefficients.map((one, index) => [styleNames[index]!, one]));

/** Every pair with battles once, the better model first. */
function pairsJson(
  ratings: readonly Rating[],
  { battles, wins }: RatingResults['pairs'],
): RatingsFile['pairs'] {
  return ratings.flatMap(({ name: a }, i) =>
    ratings.flatMap(({ name: b }, j) =>
      j <= i || battles[i]![j]! === 0
        ? []
        : [{ a, b, battles: battles[i]![j]!, wins_a: wins[i]![j]!, wins_b: wins[j]![i]! }],
    ),
  );
}
