import { type Battle, BattleTable } from './battle-table.ts';
import { MEAN_RATING, winProbability } from './rating-scale.ts';

/**
 * Elo's online ratings, in the order of the battles (Elo 1978; K = 4 as in FastChat). Weights are
 * not used.
 */
export function eloRatings(
  battles: readonly Battle[] | BattleTable,
  { k = 4, initial = MEAN_RATING }: { k?: number; initial?: number } = {},
): Map<string, number> {
  const table = battles instanceof BattleTable ? battles : BattleTable.of(battles);
  const ratings = new Float64Array(table.names.length).fill(initial);
  const { a, b, outcome } = table.columns();
  for (let at = 0; at < table.length; at++) {
    const [one, other] = [a[at]!, b[at]!];
    const change = k * (outcome[at]! - winProbability(ratings[one]!, ratings[other]!));
    ratings[one]! += change;
    ratings[other]! -= change;
  }
  return new Map(table.names.map((name, place) => [name, ratings[place]!]));
}
