// Which two models meet: those whose next battle tells most about all ratings, and by chance a
// share of the time, so that no opinion about the models decides everything.
import { BattleTable, bradleyTerry, MEAN_RATING, pairGains } from '@keel/statistics';
import type { BattleCount } from '../store/battles.ts';
import type { BattleReason } from '../store/schema.ts';
import { ARENA_PRIOR, outcomes } from './outcomes.ts';

/** Two models to meet, and why. */
export interface ChosenModels {
  models: [string, string];
  reason: BattleReason;
  /** By which share a vote is expected to reduce the variance of all differences of ratings. */
  gain: number;
}

/**
 * @param models that can meet, at least two
 * @param counts of the battles so far; a battle without a vote counts as one that will have one
 * @param randomShare how often a pair is drawn at random, from 0 to 1
 * @param random draws in [0, 1)
 * @throws RangeError for fewer than two models
 */
export function chooseModels(
  models: readonly string[],
  counts: readonly BattleCount[],
  { randomShare, random }: { randomShare: number; random(): number },
): ChosenModels {
  if (models.length < 2)
    throw new RangeError('a battle needs two models, and the servers have fewer');
  const gains = gainsOf(models, counts);
  const isRandom = random() < randomShare;
  const best = Math.max(...gains.map(({ reduction }) => reduction));
  // Rounding does not decide between pairs of the same gain.
  const drawn = isRandom ? gains : gains.filter((one) => one.reduction >= best * (1 - 1e-9));
  const { a, b, reduction } = drawn[Math.floor(random() * drawn.length)]!;
  return { models: [a, b], reason: isRandom ? 'random' : 'information', gain: reduction };
}

function gainsOf(models: readonly string[], counts: readonly BattleCount[]) {
  const table = new BattleTable();
  for (const { left, right, vote, count } of counts)
    if (vote !== null) table.add({ a: left, b: right, outcome: outcomes[vote], weight: count });
  // Ratings of models that have left say something about those that are there.
  const rated = table.length === 0 ? [] : bradleyTerry(table, { prior: ARENA_PRIOR }).ratings;
  const ratingOf = new Map(rated.map(({ name, rating }) => [name, rating]));
  const met = counts.flatMap(({ left, right }) => [left, right]);
  const ratings = [...new Set([...models, ...met])].map((name) => ({
    ...{ name, rating: ratingOf.get(name) ?? MEAN_RATING },
  }));
  const place = new Map(ratings.map(({ name }, at) => [name, at]));
  const battles = ratings.map(() => new Array<number>(ratings.length).fill(0));
  for (const { left, right, count } of counts) {
    const [i, j] = [place.get(left)!, place.get(right)!];
    battles[i]![j]! += count;
    battles[j]![i]! += count;
  }
  return pairGains(ratings, { battles }, ARENA_PRIOR, models);
}
