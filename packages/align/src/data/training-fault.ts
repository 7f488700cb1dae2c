// Finds valid rows that training cannot use. Every row is checked before a model is loaded.
import type { DataErrorDetails, Place } from './data-error.ts';
import { shorten } from './data-error.ts';
import { droppedByTraining } from './dropped-columns.ts';
import { isChat, sameContent, textOf } from './messages.ts';
import type { RankingRow, Row } from './rows.ts';

type Fault = Omit<DataErrorDetails, keyof Place>;

/**
 * Why a row cannot be trained on as it is meant, or null if it can.
 */
export const trainingFault = (row: Row): Fault | null =>
  ('ranks' in row ? rankingFault(row) : null) ?? droppedByTraining(row);

/**
 * A ranking without an order, one that ranks an answer above or below itself, or one that
 * contradicts its scores.
 */
export const rankingFault = (row: Pick<RankingRow, 'completions' | 'ranks' | 'scores'>) =>
  Math.max(...row.ranks) === 1 ? onlyTies(row) : (contradiction(row) ?? oppositeScores(row));

const skipIt = 'remove the row, or skip it with --on-bad-row skip';

const orderField = ({ scores }: Pick<RankingRow, 'scores'>): string =>
  scores === undefined ? 'ranking' : 'scores';

const onlyTies = (row: Pick<RankingRow, 'scores'>): Fault => ({
  field: orderField(row),
  expected: 'an answer that is better than another',
  found: 'only ties',
  advice: `Such a ranking has no effect: ${skipIt}`,
});

const contradiction = (row: Pick<RankingRow, 'completions' | 'ranks' | 'scores'>): Fault | null => {
  const { completions, ranks, scores } = row;
  for (const [later, answer] of completions.entries()) {
    const first = completions.findIndex(
      (other, at) => at < later && ranks[at] !== ranks[later] && sameContent(other, answer),
    );
    if (first === -1) continue;
    const values = scores === undefined ? ranks : scores;
    const what = scores === undefined ? 'ranks' : 'scores';
    const text = isChat(answer) ? answer.map(textOf).join(' ') : answer;
    return {
      field: `completions[${later}]`,
      expected: 'a single rank for each answer',
      found: `the same answer as completions[${first}] ("${shorten(text)}") with the ${what} ${values[first]} and ${values[later]}`,
      advice: `Keep one of the two, give both the same ${what.slice(0, -1)}, or skip the row with --on-bad-row skip`,
    };
  }
  return null;
};

/** Two answers that `ranking` and `scores` order differently; a tie in either is not an order. */
const oppositeScores = ({ ranks, scores }: Pick<RankingRow, 'ranks' | 'scores'>): Fault | null => {
  if (scores === undefined) return null;
  for (const [better, rank] of ranks.entries()) {
    const worse = ranks.findIndex((other, at) => rank < other && scores[better]! < scores[at]!);
    if (worse === -1) continue;
    return {
      field: 'scores',
      expected: 'scores in the same order as "ranking"',
      found: `${scores[better]} for completions[${better}], which ranks above completions[${worse}] with ${scores[worse]}`,
      advice: `In "ranking", 1 is the best; in "scores", the highest is the best. Remove one of the two fields, or ${skipIt}`,
    };
  }
  return null;
};
