// What makes a good row of no use to training: asked of every row before a model is loaded.
import type { DataErrorDetails, Place } from './data-error.ts';
import { shorten } from './data-error.ts';
import { droppedByTraining } from './known-columns.ts';
import { isChat, sameContent, textOf } from './messages.ts';
import type { RankingRow, Row } from './rows.ts';

type Fault = Omit<DataErrorDetails, keyof Place>;

/**
 * Why nothing, or not what the row says, would be learnt from it; null where it can be trained on.
 */
export const trainingFault = (row: Row): Fault | null =>
  ('ranks' in row ? rankingFault(row) : null) ?? droppedByTraining(row);

/**
 * A ranking that orders nothing, that ranks an answer above or below itself, or whose scores say the
 * opposite.
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
  advice: `Such a ranking teaches nothing: ${skipIt}`,
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
      expected: 'one place in the ranking for each answer',
      found: `the same answer as completions[${first}] ("${shorten(text)}") with the ${what} ${values[first]} and ${values[later]}`,
      advice: `Keep one of the two, give both the same ${what.slice(0, -1)}, or skip the row with --on-bad-row skip`,
    };
  }
  return null;
};

/** Two answers that `ranking` orders one way and `scores` the other; a tie in either is no order. */
const oppositeScores = ({ ranks, scores }: Pick<RankingRow, 'ranks' | 'scores'>): Fault | null => {
  if (scores === undefined) return null;
  for (const [better, rank] of ranks.entries()) {
    const worse = ranks.findIndex((other, at) => rank < other && scores[better]! < scores[at]!);
    if (worse === -1) continue;
    return {
      field: 'scores',
      expected: 'scores in the order of "ranking"',
      found: `${scores[better]} for completions[${better}], which ranks above completions[${worse}] with ${scores[worse]}`,
      advice: `In "ranking", 1 is best; in "scores", more is better. Remove one of the two fields, or ${skipIt}`,
    };
  }
  return null;
};
